//! How somebody logs in: what is asked of the login server, and what is kept of its answer.

use std::sync::Arc;

use futures_core::future::BoxFuture;

use super::{Credentials, endpoint, endpoint::Issued, identity};
use crate::{
    engine::settings::{Connection, OAuth, Secret},
    observe::events,
    ops::ports::oauth::{Authorization, Credential, DeviceLogin, GrantError, Grants, Identity, PendingLogin},
};

impl Grants for Credentials {
    fn authorization(
        &self,
        connection: &Connection,
        redirect_url: &str,
    ) -> Result<Authorization, GrantError> {
        endpoint::authorization(login_of(connection)?, redirect_url)
    }

    fn exchange(
        &self,
        connection: Arc<Connection>,
        login: PendingLogin,
        code: Secret,
    ) -> BoxFuture<'static, Result<Credential, GrantError>> {
        let credentials = self.clone();
        Box::pin(async move {
            let oauth = login_of(&connection)?;
            let door = credentials.door(&connection);
            let issued =
                endpoint::exchange(&door, oauth, &login.redirect_url, (code, &login.verifier)).await?;
            credentials.adopt(&connection, oauth, issued, Some(&login.nonce)).await
        })
    }

    fn device(&self, connection: Arc<Connection>) -> BoxFuture<'static, Result<DeviceLogin, GrantError>> {
        let credentials = self.clone();
        Box::pin(async move {
            let details = endpoint::device(&credentials.door(&connection), login_of(&connection)?).await?;
            let started = DeviceLogin {
                user_code: details.user_code().secret().clone(),
                verification_url: details.verification_uri().to_string(),
                complete_url: details.verification_uri_complete().map(|url| url.secret().clone()),
                interval: details.interval(),
                expires_in: details.expires_in(),
                finished: Box::pin(async move {
                    let oauth = login_of(&connection)?;
                    let issued =
                        endpoint::device_tokens(&credentials.door(&connection), oauth, &details).await?;
                    credentials.adopt(&connection, oauth, issued, None).await
                }),
            };
            Ok(started)
        })
    }

    fn application(&self, connection: Arc<Connection>) -> BoxFuture<'static, Result<Credential, GrantError>> {
        let credentials = self.clone();
        Box::pin(async move {
            let oauth = login_of(&connection)?;
            let issued = endpoint::application(&credentials.door(&connection), oauth).await?;
            credentials.adopt(&connection, oauth, issued, None).await
        })
    }

    fn forget(&self, connection: Arc<str>) -> BoxFuture<'static, Result<bool, GrantError>> {
        let credentials = self.clone();
        Box::pin(async move {
            let slot = credentials.slot(&connection);
            let _turn = slot.turn().await;
            let removed = credentials.0.store.remove_credential(Arc::clone(&connection)).await;
            let removed = removed.map_err(|_| GrantError::Store)?;
            slot.publish(super::Current::default());
            if removed {
                events::logged_out(&connection);
            }
            Ok(removed)
        })
    }

    fn credentials(&self) -> Vec<Credential> {
        let slots = self.0.slots.load();
        let mut all: Vec<_> = slots.values().filter_map(|slot| slot.current().credential.clone()).collect();
        all.sort_by(|one, other| one.connection.cmp(&other.connection));
        all
    }
}

impl Credentials {
    /// The way to the login server of a connection.
    pub(super) fn door(&self, connection: &Arc<Connection>) -> endpoint::Door {
        endpoint::Door::new(Arc::clone(&self.0.transport), Arc::clone(connection))
    }

    /// Takes tokens that somebody logged in for: finds out whose they are, keeps them, and lets requests use them.
    async fn adopt(
        &self,
        connection: &Arc<Connection>,
        oauth: &OAuth,
        issued: Issued,
        nonce: Option<&Secret>,
    ) -> Result<Credential, GrantError> {
        let identity = match &issued.id_token {
            Some(token) => {
                let (door, now) = (self.door(connection), self.now());
                Some(identity::read(&self.0.issuers, &door, oauth, token, nonce, now).await?)
            }
            None => None,
        };
        if let Some(identity) = &identity {
            self.check_alone(connection, identity)?;
        }
        let credential = self.credential(connection, oauth, issued, None, identity);
        let slot = self.slot(&connection.id);
        let turn = slot.turn().await;
        self.keep(&slot, &turn, credential.clone()).await?;
        events::logged_in(&connection.id);
        Ok(credential)
    }

    /// Two connections of one account would be counted twice and spent once.
    fn check_alone(&self, connection: &Connection, identity: &Identity) -> Result<(), GrantError> {
        let others = self.credentials().into_iter().filter(|one| one.connection != connection.id);
        let twin =
            others.into_iter().find(|one| one.identity.as_ref().is_some_and(|it| it.is_same(identity)));
        match twin {
            None => Ok(()),
            Some(twin) => Err(GrantError::Identity(format!(
                "this account in this workspace is the connection `{}` already; log in with another account, or run \
                 `trivium logout {}` first",
                twin.connection, twin.connection
            ))),
        }
    }
}

fn login_of(connection: &Connection) -> Result<&OAuth, GrantError> {
    let id = &connection.id;
    let lacking = || GrantError::Settings(format!("the connection `{id}` has no `oauth` block"));
    connection.oauth.as_deref().ok_or_else(lacking)
}
