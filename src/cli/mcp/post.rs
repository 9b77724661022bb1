//! The hub that a relay talks to: the one that serves the data directory, or this process itself.

use std::{path::PathBuf, time::Duration};

use http::{HeaderMap, Request, StatusCode, header};
use serde_json::Value;
use tokio::{task::JoinHandle, time::Instant};

use super::super::{Common, configure};
use crate::{
    app::{self, Heart, Hub, Parts},
    config::Boot,
    outbound::{Duplex, UpgradeError, upgrade},
};

/// To connect: the hub is on this machine.
const CONNECT: Duration = Duration::from_secs(5);

/// How long another process may take to become the hub, beside the time that the one before may take to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks for a hub, at first and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(400));

/// What the client of this process may do and see.
pub(super) struct Wishes {
    pub(super) scopes: Vec<String>,
    pub(super) profile: Option<String>,
}

/// Finds the hub, or is it.
pub(super) struct Post {
    common: Common,
    data_dir: PathBuf,
    drain: Duration,
    wishes: Wishes,
    heart: Option<Heart>,
    own: Option<(Hub, JoinHandle<()>)>,
}

/// Why there is no connection to a hub at the moment.
enum Missing {
    /// There may be one soon.
    Yet(String),
    /// There will be none.
    Ever(String),
}

impl Post {
    pub(super) fn new(common: &Common, boot: &Boot, wishes: Wishes) -> Self {
        let (data_dir, drain) = (boot.data_dir.clone(), boot.shutdown_timeout);
        Self { common: common.clone(), data_dir, drain, wishes, heart: None, own: None }
    }

    /// How long what runs may take to end.
    pub(super) const fn patience(&self) -> Duration {
        self.drain
    }

    /// A connection to a hub, which this process becomes if there is none.
    ///
    /// # Errors
    /// When there is none and there will be none.
    pub(super) async fn attach(&mut self) -> Result<Box<dyn Duplex>, String> {
        // Who has had a hub before waits for another: the last one may hold the address for a moment.
        let is_first = self.heart.is_none();
        let end = Instant::now() + self.drain + PATIENCE;
        let mut wait = LOOKS.0;
        loop {
            let why = match self.try_attach().await {
                Ok(stream) => return Ok(stream),
                Err(Missing::Ever(why)) if is_first => return Err(why),
                Err(Missing::Ever(why) | Missing::Yet(why)) => why,
            };
            if Instant::now() >= end {
                return Err(why);
            }
            // Several processes look at the same time: not in step.
            tokio::time::sleep(wait.mul_f64(0.5 + rand::random::<f64>())).await;
            wait = (wait * 2).min(LOOKS.1);
        }
    }

    async fn try_attach(&mut self) -> Result<Box<dyn Duplex>, Missing> {
        if let Some((url, secret)) =
            app::running_hub(&self.data_dir).map_err(|error| Missing::Yet(error.to_string()))?
        {
            return self.attach_to(&url, &secret).await;
        }
        Box::pin(self.become_hub()).await?;
        Err(Missing::Yet("the hub has not said where it listens".to_owned()))
    }

    async fn attach_to(&mut self, url: &str, secret: &str) -> Result<Box<dyn Duplex>, Missing> {
        let request = Request::get(format!("{url}/mcp/stdio"))
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "trivium-mcp")
            .header(header::AUTHORIZATION, format!("Bearer {secret}"))
            .header("trivium-mcp-scopes", self.wishes.scopes.join(","))
            .header("trivium-mcp-pid", std::process::id());
        let request = match &self.wishes.profile {
            Some(profile) => request.header("trivium-mcp-profile", profile),
            None => request,
        };
        let request = request.body(()).map_err(|error| Missing::Ever(error.to_string()))?;
        match upgrade(request, CONNECT).await {
            Ok(upgraded) => {
                app::relaying(url);
                self.live(&upgraded.headers);
                Ok(upgraded.stream)
            }
            // A hub that has just stopped, or has not listened yet.
            Err(UpgradeError::Transport(error)) => {
                Err(Missing::Yet(format!("the hub at {url} could not be asked: {error}")))
            }
            Err(UpgradeError::Refused { status, body }) => {
                let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                let said = body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no word");
                let why = format!("the hub at {url} answered {status}: {said}");
                // The secret may be that of a hub before, and a hub that stops takes nothing new.
                let passes = [StatusCode::UNAUTHORIZED, StatusCode::SERVICE_UNAVAILABLE].contains(&status);
                Err(if passes { Missing::Yet(why) } else { Missing::Ever(why) })
            }
        }
    }

    /// Begins to say that this process lives.
    fn live(&mut self, answer: &HeaderMap) {
        let tools = answer.get("trivium-mcp-tools").and_then(|tools| tools.to_str().ok()?.parse().ok());
        let scopes = || self.wishes.scopes.clone();
        if self.heart.is_none() {
            self.heart = Some(Heart::start(&self.data_dir, scopes(), tools.unwrap_or_default()));
        }
    }

    async fn become_hub(&mut self) -> Result<(), Missing> {
        // Read anew: it may have changed since this process started.
        let configured = configure(&self.common, None)
            .map_err(|_| Missing::Ever("there is no hub, and the configuration is not valid".to_owned()))?;
        let boot = configured.loaded.boot.clone();
        let hub = match Hub::start((&boot).into(), configured.clone(), Parts::default()).await {
            Ok(hub) => hub,
            // Another process was faster, or the last hub still stops.
            Err(error) if error.is_in_use() => return Err(Missing::Yet(error.to_string())),
            Err(error) => return Err(Missing::Ever(error.to_string())),
        };
        // Never to stdout, which belongs to the protocol, even where that is a terminal.
        if let Some(key) = hub.first_key()
            && let Err(error) = app::write_first_key(&boot.data_dir, &key.secret)
        {
            drop(hub.stop().await);
            return Err(Missing::Ever(format!("the first key could not be written: {error}")));
        }
        let following = tokio::spawn(app::follow(std::sync::Arc::clone(hub.live()), configured));
        self.own = Some((hub, following));
        Ok(())
    }

    /// Ends: a hub that this process is stops in an orderly way, and others take over.
    ///
    /// # Errors
    /// When something could not be written.
    pub(super) async fn close(self) -> Result<(), String> {
        if let Some(heart) = self.heart {
            heart.stop().await;
        }
        let Some((hub, following)) = self.own else { return Ok(()) };
        following.abort();
        hub.stop().await.map_err(|error| error.to_string())
    }
}
