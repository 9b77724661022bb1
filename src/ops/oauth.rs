//! Operations on logins. Here is kept which logins are under way and what became of them; how tokens are had and renewed
//! is behind [`Grants`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use operations::{
    Invalid, Operation,
    oauth::{
        Finish, FinishLogin, List, ListOAuth, LoggedOut, LoginFlow, LoginStarted, LoginState, LoginStatus,
        Logout, LogoutConnection, OAuthCredential, OAuthCredentials, Progress, Start, StartLogin, Status,
    },
};
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

use super::{OpError, error::require};
use crate::{
    engine::{
        Engine,
        caller::Caller,
        settings::{Connection, Flow, OAuth, Secret},
    },
    ops::ports::oauth::{Credential, CredentialState, GrantError, Grants, OAuthStore, PendingLogin},
};

/// How long a browser has to come back, in milliseconds.
const LOGIN_LIVES: i64 = 10 * 60 * 1000;
/// Logins that are under way at once; the oldest give way.
const MOST: usize = 256;
/// How often it is worth asking for the end of a login in a browser.
const INTERVAL: u64 = 2;
/// The path of the hub's own callback.
pub const CALLBACK: &str = "/auth/callback";

/// Somebody who can listen for a browser at another port of this machine: applications are often registered with one.
pub trait Loopback: Send + Sync {
    /// Listens on `port` until a browser came back to `path` there, or the time is over. Where somebody else listens, nothing
    /// happens: the address can still be pasted.
    fn listen(&self, logins: Logins, port: u16, path: String, time: Duration);
}

/// Executes the operations on logins.
#[derive(Clone)]
pub struct Logins {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Arc<Engine>,
    grants: Arc<dyn Grants>,
    store: Arc<dyn OAuthStore>,
    /// Where browsers reach the hub.
    public_url: String,
    /// Listens where else browsers come back to, if anybody does.
    loopback: Option<Box<dyn Loopback>>,
    /// What is known of logins, by name; names rise with time.
    known: Mutex<BTreeMap<String, Known>>,
}

/// What is known of one login.
struct Known {
    connection: Arc<str>,
    expires_at: i64,
    /// How it ended, if it has.
    ended: Option<Result<(), String>>,
}

impl Logins {
    /// Logins at the connections of `engine`. Browsers reach the hub at `public_url`.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        grants: Arc<dyn Grants>,
        store: Arc<dyn OAuthStore>,
        public_url: String,
        loopback: Option<Box<dyn Loopback>>,
    ) -> Self {
        let known = Mutex::default();
        Self { inner: Arc::new(Inner { engine, grants, store, public_url, loopback, known }) }
    }

    /// Begins a login.
    ///
    /// # Errors
    /// [`OpError`]; a conflict when the connection has no login, or the login server refuses.
    pub async fn start_login(&self, caller: &Caller, args: StartLogin) -> Result<LoginStarted, OpError> {
        require(caller, Start::SCOPE)?;
        let args = Start::check(args)?;
        let (connection, oauth) = self.connection(&args.connection)?;
        match args.flow.map_or(oauth.flow, flow_of) {
            Flow::Code => self.start_code(&connection, &oauth).await,
            Flow::Device => self.start_device(connection).await,
            Flow::ClientCredentials => self.start_application(connection).await,
        }
    }

    /// Ends a login with what the browser brought back.
    ///
    /// # Errors
    /// [`OpError`]; [`OpError::Invalid`] when the state is not known, was used, or has ended.
    pub async fn finish_login(&self, caller: &Caller, args: FinishLogin) -> Result<LoginState, OpError> {
        require(caller, Finish::SCOPE)?;
        let brought = Brought::of(Finish::check(args)?)?;
        self.finish(brought).await
    }

    /// The same for a browser that came back to the hub itself. The state is its right: only who began the login knows it.
    ///
    /// # Errors
    /// [`OpError`], as [`Self::finish_login`].
    pub async fn come_back(&self, query: &str) -> Result<LoginState, OpError> {
        self.finish(Brought::in_query(query)?).await
    }

    /// Says what became of a login.
    ///
    /// # Errors
    /// [`OpError`].
    pub fn login_status(&self, caller: &Caller, args: LoginStatus) -> Result<LoginState, OpError> {
        require(caller, Status::SCOPE)?;
        let LoginStatus { login } = Status::check(args)?;
        self.state(login)
    }

    /// Forgets a connection's tokens.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn logout(&self, caller: &Caller, args: LogoutConnection) -> Result<LoggedOut, OpError> {
        require(caller, Logout::SCOPE)?;
        let LogoutConnection { connection } = Logout::check(args)?;
        let grants = Arc::clone(&self.inner.grants);
        let id: Arc<str> = connection.as_str().into();
        // Tokens of a connection that is no longer configured can be forgotten too.
        let is_known = grants.credentials().iter().any(|one| one.connection == id);
        if !is_known {
            self.connection(&connection)?;
        }
        let had_tokens = grants.forget(id).await.map_err(failed)?;
        Ok(LoggedOut { connection, had_tokens })
    }

    /// Lists what is known of the connections' logins.
    ///
    /// # Errors
    /// [`OpError::Forbidden`].
    pub fn list(&self, caller: &Caller, args: ListOAuth) -> Result<OAuthCredentials, OpError> {
        require(caller, List::SCOPE)?;
        List::check(args)?;
        let known = self.inner.grants.credentials();
        let snapshot = self.inner.engine.snapshot();
        let with_login = snapshot.settings.connections.iter().filter_map(|connection| {
            let oauth = connection.oauth.as_deref()?;
            let found =
                known.iter().find(|one| one.connection == connection.id && one.binding == oauth.binding);
            Some(view(connection, oauth, found))
        });
        Ok(OAuthCredentials { credentials: with_login.collect() })
    }

    async fn start_code(&self, connection: &Arc<Connection>, oauth: &OAuth) -> Result<LoginStarted, OpError> {
        let redirect_url =
            oauth.redirect_url.clone().unwrap_or_else(|| format!("{}{CALLBACK}", self.inner.public_url));
        let begun = self.inner.grants.authorization(connection, &redirect_url).map_err(failed)?;
        let (login, expires_at) = self.open(connection, LOGIN_LIVES);
        let pending = PendingLogin {
            state: hash(begun.state.expose()),
            login: login.as_str().into(),
            connection: Arc::clone(&connection.id),
            binding: oauth.binding,
            verifier: begun.verifier,
            nonce: begun.nonce,
            redirect_url: redirect_url.clone(),
            expires_at,
        };
        let most = u32::try_from(MOST).unwrap_or(u32::MAX);
        let now = self.inner.engine.clock().now();
        let kept = self.inner.store.begin_login(pending, now, most).await;
        kept.map_err(|error| OpError::Store(Box::new(error)))?;
        self.listen(&redirect_url);
        Ok(LoginStarted {
            url: Some(begun.url),
            state: Some(begun.state.expose().to_owned()),
            redirect_url: Some(redirect_url),
            ..started(login, connection, LoginFlow::Code, INTERVAL, expires_at)
        })
    }

    /// Listens for a browser that comes back to this machine, but not to the hub.
    fn listen(&self, redirect_url: &str) {
        let Some(loopback) = &self.inner.loopback else { return };
        let (Ok(there), Ok(here)) = (Url::parse(redirect_url), Url::parse(&self.inner.public_url)) else {
            return;
        };
        let is_local = matches!(there.host_str(), Some("localhost" | "127.0.0.1"));
        let port =
            there.port().filter(|port| is_local && there.scheme() == "http" && here.port() != Some(*port));
        if let Some(port) = port {
            let time = Duration::from_millis(LOGIN_LIVES.unsigned_abs());
            loopback.listen(self.clone(), port, there.path().to_owned(), time);
        }
    }

    async fn start_device(&self, connection: Arc<Connection>) -> Result<LoginStarted, OpError> {
        let device = self.inner.grants.device(Arc::clone(&connection)).await.map_err(failed)?;
        let lives = i64::try_from(device.expires_in.as_millis()).unwrap_or(LOGIN_LIVES);
        let (login, expires_at) = self.open(&connection, lives);
        let interval = device.interval.max(Duration::from_secs(1)).as_secs();
        let begun = LoginStarted {
            user_code: Some(device.user_code),
            verification_url: Some(device.verification_url),
            verification_url_complete: device.complete_url,
            ..started(login.clone(), &connection, LoginFlow::Device, interval, expires_at)
        };
        let (logins, finished) = (self.clone(), device.finished);
        tokio::spawn(async move { logins.close(&login, &connection, finished.await) });
        Ok(begun)
    }

    async fn start_application(&self, connection: Arc<Connection>) -> Result<LoginStarted, OpError> {
        let (login, expires_at) = self.open(&connection, LOGIN_LIVES);
        let ended = self.inner.grants.application(Arc::clone(&connection)).await;
        self.close(&login, &connection, ended.clone());
        ended.map_err(failed)?;
        Ok(started(login, &connection, LoginFlow::ClientCredentials, INTERVAL, expires_at))
    }

    async fn finish(&self, brought: Brought) -> Result<LoginState, OpError> {
        let now = self.inner.engine.clock().now();
        let taken = self.inner.store.take_login(hash(&brought.state), now).await;
        let Some(pending) = taken.map_err(|error| OpError::Store(Box::new(error)))? else {
            let message = "is not known, was used before, or has ended; begin the login again";
            return Err(Invalid::new("state", message).into());
        };
        let login = pending.login.to_string();
        self.remember(&login, &pending);
        // Not dropped with the browser: the server gives tokens for a code once.
        let logins = self.clone();
        let work = tokio::spawn(async move { logins.redeem(pending, brought.code).await });
        work.await.unwrap_or(Err(OpError::Interrupted))?;
        self.state(login)
    }

    async fn redeem(&self, pending: PendingLogin, code: Result<Secret, String>) -> Result<(), OpError> {
        let login = pending.login.to_string();
        let (connection, oauth) = match self.connection(&pending.connection) {
            Ok(found) => found,
            Err(error) => {
                self.note(&login, Err(error.to_string()));
                return Err(error);
            }
        };
        let ended = match code {
            Ok(_) if oauth.binding != pending.binding => {
                Err(GrantError::Settings("the connection's settings changed during the login".to_owned()))
            }
            Ok(code) => self.inner.grants.exchange(Arc::clone(&connection), pending, code).await,
            Err(code) => Err(GrantError::Refused { code, message: String::new() }),
        };
        self.close(&login, &connection, ended.clone());
        ended.map(drop).map_err(failed)
    }

    /// A connection that people log in to.
    fn connection(&self, id: &str) -> Result<(Arc<Connection>, Arc<OAuth>), OpError> {
        let snapshot = self.inner.engine.snapshot();
        let found = snapshot.settings.connections.iter().find(|one| *one.id == *id).cloned();
        let found = found.ok_or_else(|| OpError::NotFound { noun: "connection", name: id.to_owned() })?;
        let Some(oauth) = found.oauth.clone() else {
            let message = format!("the connection `{id}` has no `oauth` block: it is used with its key");
            return Err(OpError::Conflict(message));
        };
        Ok((found, oauth))
    }

    /// A new login, and when it ends.
    fn open(&self, connection: &Connection, lives: i64) -> (String, i64) {
        let expires_at = self.inner.engine.clock().now().saturating_add(lives);
        let login = format!("login_{}", Uuid::now_v7().simple());
        let known = Known { connection: Arc::clone(&connection.id), expires_at, ended: None };
        self.insert(login.clone(), known);
        (login, expires_at)
    }

    /// A login that began before the hub was started anew is known again when its browser comes back.
    fn remember(&self, login: &str, pending: &PendingLogin) {
        if !self.known().contains_key(login) {
            let connection = Arc::clone(&pending.connection);
            self.insert(login.to_owned(), Known { connection, expires_at: pending.expires_at, ended: None });
        }
    }

    fn insert(&self, login: String, one: Known) {
        let mut known = self.known();
        while known.len() >= MOST {
            known.pop_first();
        }
        known.insert(login, one);
    }

    /// Takes note of a login's end. What was held against the account under its earlier tokens is over.
    fn close(&self, login: &str, connection: &Connection, ended: Result<Credential, GrantError>) {
        if ended.is_ok() {
            self.inner.engine.health().reset(connection, None);
        }
        self.note(login, ended.map(drop).map_err(|error| error.to_string()));
    }

    fn note(&self, login: &str, ended: Result<(), String>) {
        if let Some(known) = self.known().get_mut(login) {
            known.ended = Some(ended);
        }
    }

    fn state(&self, login: String) -> Result<LoginState, OpError> {
        let now = self.inner.engine.clock().now();
        let (connection, ended) = {
            let known = self.known();
            let Some(one) = known.get(&login) else {
                return Err(OpError::NotFound { noun: "login", name: login });
            };
            let late = (one.expires_at <= now).then(|| Err("nobody came back in time".to_owned()));
            (Arc::clone(&one.connection), one.ended.clone().or(late))
        };
        let (progress, message) = match ended {
            None => (Progress::Pending, None),
            Some(Ok(())) => (Progress::Done, None),
            Some(Err(message)) => (Progress::Failed, Some(message)),
        };
        let credential = (progress == Progress::Done).then(|| self.connection(&connection).ok()).flatten();
        let credential = credential.map(|(connection, oauth)| {
            let all = self.inner.grants.credentials();
            view(&connection, &oauth, all.iter().find(|one| one.connection == connection.id))
        });
        Ok(LoginState { login, connection: connection.to_string(), progress, message, credential })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        // Entries are replaced as a whole, so a panic leaves nothing half done.
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a browser brought back. `Err`: the login server's word for a refusal.
struct Brought {
    code: Result<Secret, String>,
    state: String,
}

impl Brought {
    fn of(args: FinishLogin) -> Result<Self, Invalid> {
        if let (Some(code), Some(state)) = (args.code, args.state) {
            return Ok(Self { code: Ok(Secret::new(code)), state });
        }
        let text = args.redirect_url.unwrap_or_default();
        let url = Url::parse(&text)
            .map_err(|_| Invalid::new("redirect_url", "must be the whole address, from `http` on"))?;
        Self::in_query(url.query().unwrap_or_default())
    }

    fn in_query(query: &str) -> Result<Self, Invalid> {
        let mut found: BTreeMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let state = found.remove("state").filter(|state| !state.is_empty());
        let state = state.ok_or_else(|| Invalid::new("state", "is missing in the address"))?;
        match (found.remove("code"), found.remove("error")) {
            (Some(code), None) => Ok(Self { code: Ok(Secret::new(code)), state }),
            (_, Some(error)) => {
                let word = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(60);
                Ok(Self { code: Err(word.collect()), state })
            }
            (None, None) => Err(Invalid::new("code", "is missing in the address")),
        }
    }
}

const fn flow_of(flow: LoginFlow) -> Flow {
    match flow {
        LoginFlow::Code => Flow::Code,
        LoginFlow::Device => Flow::Device,
        LoginFlow::ClientCredentials => Flow::ClientCredentials,
    }
}

fn started(
    login: String,
    connection: &Connection,
    flow: LoginFlow,
    interval_seconds: u64,
    expires_at: i64,
) -> LoginStarted {
    LoginStarted {
        login,
        connection: connection.id.to_string(),
        flow,
        url: None,
        state: None,
        redirect_url: None,
        user_code: None,
        verification_url: None,
        verification_url_complete: None,
        interval_seconds,
        expires_at,
    }
}

fn view(connection: &Connection, oauth: &OAuth, found: Option<&Credential>) -> OAuthCredential {
    let id = &connection.id;
    let ready = found.is_some_and(|one| one.state == CredentialState::Ready)
        || found.is_none() && oauth.flow == Flow::ClientCredentials;
    let identity = found.and_then(|one| one.identity.as_ref());
    let error = (!ready).then(|| {
        let why = found.and_then(|one| one.error.as_deref()).unwrap_or("nobody has logged in yet");
        format!("{why}; run `trivium login {id}`")
    });
    OAuthCredential {
        connection: id.to_string(),
        state: if ready { CredentialState::Ready } else { CredentialState::NeedsLogin }.as_str().to_owned(),
        email: identity.and_then(|one| one.email.as_deref()).map(masked),
        workspace: identity.and_then(|one| one.workspace.clone()),
        issuer: identity.map(|one| one.issuer.clone()).filter(|issuer| !issuer.is_empty()),
        scopes: found.and_then(|one| one.scopes.clone()),
        renews: ready
            && (oauth.flow == Flow::ClientCredentials || found.is_some_and(|one| one.refresh.is_some())),
        expires_at: found.and_then(|one| one.expires_at),
        updated_at: found.map(|one| one.updated_at),
        error,
    }
}

/// An e-mail address of which its owner knows which it is, and others little: `di*****@g****.com`.
fn masked(email: &str) -> String {
    let (local, domain) = email.rsplit_once('@').unwrap_or((email, ""));
    let start: String = local.chars().take(2).collect();
    let (host, end) = domain.rsplit_once('.').unwrap_or((domain, ""));
    let first: String = host.chars().take(1).collect();
    let dot = if end.is_empty() { "" } else { "." };
    if domain.is_empty() { format!("{start}*****") } else { format!("{start}*****@{first}****{dot}{end}") }
}

fn hash(state: &str) -> [u8; 32] {
    Sha256::digest(state.as_bytes()).into()
}

fn failed(error: GrantError) -> OpError {
    match error {
        GrantError::Store => OpError::Store(Box::new(error)),
        other => OpError::Conflict(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_masked() {
        for (email, shown) in [
            ("dick@gmail.com", "di*****@g****.com"),
            ("a@b.example.org", "a*****@b****.org"),
            ("ü", "ü*****"),
            ("x@host", "x*****@h****"),
        ] {
            assert_eq!(masked(email), shown);
        }
    }

    #[test]
    fn what_a_browser_brings_is_read_in_every_form() {
        let url = |text: &str| {
            Brought::of(FinishLogin { redirect_url: Some(text.to_owned()), ..FinishLogin::default() })
        };
        let good = url("http://localhost:1455/auth/callback?code=a%2Bb&state=s").ok();
        let good = good.map(|one| (one.code.map(|code| code.expose().to_owned()), one.state));
        assert_eq!(good, Some((Ok("a+b".to_owned()), "s".to_owned())));
        let denied = url("https://hub.example/auth/callback?error=access_denied<b>&state=s").ok();
        assert_eq!(denied.map(|one| one.code.map(drop)), Some(Err("access_deniedb".to_owned())));
        for (text, field) in [
            ("localhost", "redirect_url"),
            ("http://localhost/", "state"),
            ("http://localhost/?state=s", "code"),
            ("http://localhost/?code=c&state=", "state"),
        ] {
            assert_eq!(url(text).err().map(|invalid| invalid.field), Some(field), "{text}");
        }
    }
}
