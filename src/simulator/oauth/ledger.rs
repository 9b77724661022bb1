//! What the login server issued: codes, device codes and tokens, and which of them are still good.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Form, INVALID_GRANT, OAuthScript, TOKEN};
use crate::simulator::dice::Dice;

/// Entries of each kind that are remembered; all are forgotten when there are more.
const MOST: usize = 10_000;

/// Who agreed to what.
#[derive(Clone, Debug, Default)]
pub(super) struct Grant {
    /// The application.
    pub(super) client: String,
    /// The person: what the application gave as `login_hint`, or one of its own.
    pub(super) email: String,
    /// The person's workspace: what the application gave as `workspace`.
    pub(super) workspace: Option<String>,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
}

impl Grant {
    pub(super) fn of(form: &Form) -> Self {
        let text = |name: &str| form.get(name).cloned();
        Self {
            client: text("client_id").unwrap_or_default(),
            email: text("login_hint").unwrap_or_else(|| "someone@example.com".to_owned()),
            workspace: text("workspace"),
            scope: text("scope").unwrap_or_default(),
            nonce: text("nonce"),
        }
    }
}

struct Code {
    grant: Grant,
    redirect: String,
    challenge: String,
}

struct Device {
    grant: Grant,
    user: String,
    approved: bool,
}

struct Access {
    family: u64,
    ends: u64,
    email: String,
}

struct Refresh {
    grant: Grant,
    family: u64,
    used: bool,
}

/// Everything issued.
#[derive(Default)]
pub(super) struct Ledger {
    serial: u64,
    codes: HashMap<String, Code>,
    devices: HashMap<String, Device>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
}

impl Ledger {
    fn name(&mut self, prefix: &str) -> String {
        self.serial += 1;
        Dice::new(self.serial, &[prefix.as_bytes()]).id(&format!("{prefix}{}_", self.serial), 24)
    }

    pub(super) fn code(&mut self, grant: Grant, redirect: String, challenge: String) -> String {
        let code = self.name("code_");
        bounded(&mut self.codes).insert(code.clone(), Code { grant, redirect, challenge });
        code
    }

    /// What a code stands for. It is good once, for who knows the verifier.
    pub(super) fn redeem(&mut self, code: &str, redirect: &str, verifier: &str) -> Option<Grant> {
        let code = self.codes.remove(code)?;
        let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        (code.redirect == redirect && code.challenge == proof).then_some(code.grant)
    }

    pub(super) fn device(&mut self, grant: Grant) -> (String, String) {
        let device = self.name("device_");
        let user = format!("USER-{:04}", self.serial);
        let entry = Device { grant, user: user.clone(), approved: false };
        bounded(&mut self.devices).insert(device.clone(), entry);
        (device, user)
    }

    pub(super) fn approve(&mut self, user: &str) -> bool {
        let found = self.devices.values_mut().find(|device| device.user == user);
        found.map(|device| device.approved = true).is_some()
    }

    pub(super) fn poll(&mut self, device: &str) -> Result<Grant, &'static str> {
        match self.devices.get(device) {
            None => Err(INVALID_GRANT),
            Some(found) if !found.approved => Err("authorization_pending"),
            Some(_) => self.devices.remove(device).map(|device| device.grant).ok_or(INVALID_GRANT),
        }
    }

    /// What a refresh token stands for. `Err(true)`: it came a second time, and all tokens of its login ended.
    pub(super) fn refresh(&mut self, token: &str, rotate: bool) -> Result<(Grant, u64), bool> {
        let found = self.refresh.get_mut(token).ok_or(false)?;
        let family = found.family;
        if found.used {
            self.access.retain(|_, one| one.family != family);
            self.refresh.retain(|_, one| one.family != family);
            return Err(true);
        }
        found.used = rotate;
        Ok((found.grant.clone(), family))
    }

    /// New tokens, as the token endpoint answers them.
    pub(super) fn issue(
        &mut self,
        grant: &Grant,
        family: Option<u64>,
        script: &OAuthScript,
        now: u64,
    ) -> Value {
        let access = self.name(TOKEN);
        let family = family.unwrap_or(self.serial);
        let ends = now + script.expires_in;
        bounded(&mut self.access).insert(access.clone(), Access { family, ends, email: grant.email.clone() });
        let refresh = self.name("ort_");
        let entry = Refresh { grant: grant.clone(), family, used: false };
        bounded(&mut self.refresh).insert(refresh.clone(), entry);
        json!({
            "access_token": access, "token_type": "Bearer", "expires_in": script.expires_in,
            "refresh_token": refresh, "scope": grant.scope,
        })
    }

    pub(super) fn lives(&self, access: &str, now: u64) -> bool {
        self.access.get(access).is_some_and(|one| one.ends > now)
    }

    /// Whose token it is, if it lives.
    pub(super) fn email(&self, access: &str, now: u64) -> Option<String> {
        self.access.get(access).filter(|one| one.ends > now).map(|one| one.email.clone())
    }

    pub(super) fn end(&mut self, access: &str) {
        self.access.remove(access);
    }
}

fn bounded<T>(map: &mut HashMap<String, T>) -> &mut HashMap<String, T> {
    if map.len() >= MOST {
        map.clear();
    }
    map
}
