//! Operations on logins: connections whose owner logs in at the provider instead of pasting a key. All times are
//! milliseconds since the Unix epoch in fields that end in `_at`. Tokens are never part of an answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Longest id of a connection, in characters.
const MAX_ID: usize = 64;
/// Longest URL, code or state that somebody may bring back, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// Begins a login.
#[derive(Debug, Clone, Copy)]
pub struct Start;

/// Ends a login with what the browser brought back.
#[derive(Debug, Clone, Copy)]
pub struct Finish;

/// Says what became of a login.
#[derive(Debug, Clone, Copy)]
pub struct Status;

/// Forgets a connection's tokens.
#[derive(Debug, Clone, Copy)]
pub struct Logout;

/// Lists what is known of the connections' logins.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// How somebody logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoginFlow {
    /// In a browser, which comes back with a code.
    Code,
    /// In a browser elsewhere, where a short code is typed.
    Device,
    /// Nobody does: the application speaks for itself.
    ClientCredentials,
}

/// The login to begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartLogin {
    /// The connection's id.
    pub connection: String,
    /// How; the connection's own way when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<LoginFlow>,
}

/// A login that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoginStarted {
    /// Under this name its end is asked for.
    pub login: String,
    /// The connection's id.
    pub connection: String,
    /// How somebody logs in.
    pub flow: LoginFlow,
    /// Where the browser is to go (flow `code`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// With this the browser comes back (flow `code`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Where the browser comes back to (flow `code`). If that cannot be reached from it, paste the address that it ends at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// What is to be typed (flow `device`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_code: Option<String>,
    /// Where (flow `device`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_url: Option<String>,
    /// The same with the code in it (flow `device`), where the provider has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification_url_complete: Option<String>,
    /// How often it is worth asking for the end, in seconds.
    pub interval_seconds: u64,
    /// When the login ends by itself, in milliseconds since the Unix epoch.
    pub expires_at: i64,
}

/// What the browser brought back: the address that it ended at, or the two parameters in it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FinishLogin {
    /// The whole address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_url: Option<String>,
    /// Its parameter `code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Its parameter `state`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

impl std::fmt::Debug for FinishLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FinishLogin([redacted])")
    }
}

/// Which login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginStatus {
    /// [`LoginStarted::login`].
    pub login: String,
}

/// How a login stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Somebody is still to do something.
    Pending,
    /// The connection has tokens.
    Done,
    /// It came to nothing.
    Failed,
}

/// What became of a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoginState {
    /// Its name.
    pub login: String,
    /// The connection's id.
    pub connection: String,
    /// How it stands.
    pub progress: Progress,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What is known of the connection now, once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<OAuthCredential>,
}

/// Whose tokens to forget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogoutConnection {
    /// The connection's id.
    pub connection: String,
}

/// Tokens that were forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedOut {
    /// The connection's id.
    pub connection: String,
    /// Whether there were any.
    pub had_tokens: bool,
}

/// Which logins to list: all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListOAuth {}

/// The logins of the connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OAuthCredentials {
    /// One for each connection with a login.
    pub credentials: Vec<OAuthCredential>,
}

/// How a connection's login stands. Never its tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OAuthCredential {
    /// The connection's id.
    pub connection: String,
    /// `ready` or `needs_login`.
    pub state: String,
    /// Whose account it is, with most of the address hidden, if the provider said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The workspace or organization, if the provider said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// Who issued the tokens, if the provider said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What was granted, if the provider said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<String>,
    /// Whether the tokens renew themselves.
    pub renews: bool,
    /// When the access token ends, in milliseconds since the Unix epoch, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// When this last changed, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// Why somebody must log in, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Operation for Start {
    const NAME: &'static str = "start_login";
    const TITLE: &'static str = "Log in to a connection";
    const SUMMARY: &'static str = "Begins a login at the provider of a connection. Answers the address that a browser is to \
         go to, or a code to be typed elsewhere; ask login_status for its end. Whoever holds the state can end the login.";
    const SCOPE: Scope = Scope::WriteConnections;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/oauth/logins").creates();
    const COMMAND: (&'static str, &'static str) = ("logins", "start");
    const EXAMPLE: &'static str = r#"{"connection": "work-account"}"#;
    type Args = StartLogin;
    type Result = LoginStarted;

    fn check(args: StartLogin) -> Result<StartLogin, Invalid> {
        Ok(StartLogin { connection: connection(&args.connection)?, ..args })
    }
}

impl Operation for Finish {
    const NAME: &'static str = "finish_login";
    const TITLE: &'static str = "End a login with what the browser brought back";
    const SUMMARY: &'static str = "Takes the address at which the browser ended after a login, or the code and the state in \
         it, and gets the connection's tokens for it. A state is good once, for ten minutes.";
    const SCOPE: Scope = Scope::WriteConnections;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/oauth/logins/finish");
    const COMMAND: (&'static str, &'static str) = ("logins", "finish");
    const EXAMPLE: &'static str =
        r#"{"redirect_url": "http://localhost:1455/auth/callback?code=example&state=example"}"#;
    /// A code is as good as the account until it was used, and has no form by which it would be known.
    const WORDS: &'static [&'static str] = &["redirect_url", "code", "state"];
    type Args = FinishLogin;
    type Result = LoginState;

    fn check(args: FinishLogin) -> Result<FinishLogin, Invalid> {
        let FinishLogin { redirect_url, code, state } = args;
        let redirect_url = redirect_url.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let long = |text: &Option<String>| text.as_ref().is_some_and(|text| text.len() > MAX_TEXT);
        if long(&redirect_url) || long(&code) || long(&state) {
            return Err(Invalid::new("redirect_url", format!("must have at most {MAX_TEXT} bytes")));
        }
        match (&redirect_url, &code, &state) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => Ok(FinishLogin { redirect_url, code, state }),
            _ => {
                Err(Invalid::new("redirect_url", "must be given alone, or `code` and `state` instead of it"))
            }
        }
    }
}

impl Operation for Status {
    const NAME: &'static str = "login_status";
    const TITLE: &'static str = "What became of a login";
    const SUMMARY: &'static str = "Says whether a login that was begun is pending, done or failed, and why.";
    const SCOPE: Scope = Scope::ReadConnections;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/oauth/logins/{login}");
    const COMMAND: (&'static str, &'static str) = ("logins", "status");
    const EXAMPLE: &'static str = r#"{"login": "login_1"}"#;
    type Args = LoginStatus;
    type Result = LoginState;

    fn check(args: LoginStatus) -> Result<LoginStatus, Invalid> {
        Ok(LoginStatus { login: text("login", &args.login)? })
    }
}

impl Operation for Logout {
    const NAME: &'static str = "logout";
    const TITLE: &'static str = "Log out of a connection";
    const SUMMARY: &'static str = "Forgets the tokens of a connection. It is left out of every plan until somebody logs in \
         again. The provider is not told.";
    const SCOPE: Scope = Scope::WriteConnections;
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: true };
    const ROUTE: Route = Route::new(Method::Delete, "/api/oauth/credentials/{connection}");
    const COMMAND: (&'static str, &'static str) = ("logins", "logout");
    const EXAMPLE: &'static str = r#"{"connection": "work-account"}"#;
    type Args = LogoutConnection;
    type Result = LoggedOut;

    fn check(args: LogoutConnection) -> Result<LogoutConnection, Invalid> {
        Ok(LogoutConnection { connection: connection(&args.connection)? })
    }
}

impl Operation for List {
    const NAME: &'static str = "list_oauth_credentials";
    const TITLE: &'static str = "List logins";
    const SUMMARY: &'static str = "Lists the connections that people log in to: whose account each is (most of the address \
         hidden), until when its token is good, and whether somebody must log in. Never shows a token.";
    const SCOPE: Scope = Scope::ReadConnections;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/oauth/credentials");
    const COMMAND: (&'static str, &'static str) = ("logins", "list");
    const EXAMPLE: &'static str = r#"{}"#;
    type Args = ListOAuth;
    type Result = OAuthCredentials;

    fn check(args: ListOAuth) -> Result<ListOAuth, Invalid> {
        Ok(args)
    }
}

fn connection(id: &str) -> Result<String, Invalid> {
    text("connection", id)
}

fn text(field: &'static str, text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_ID || text.chars().any(char::is_control) {
        return Err(Invalid::new(field, format!("must have 1 to {MAX_ID} characters")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_told_in_one_way() {
        let some = |text: &str| Some(text.to_owned());
        let args = |url, code, state| FinishLogin { redirect_url: url, code, state };
        assert!(Finish::check(args(some(" http://localhost:1455/auth/callback?x "), None, None)).is_ok());
        assert!(Finish::check(args(None, some("c"), some("s"))).is_ok());
        for bad in [
            args(None, None, None),
            args(some("  "), None, None),
            args(None, some("c"), None),
            args(some("http://x"), some("c"), some("s")),
            args(some(&"x".repeat(MAX_TEXT + 1)), None, None),
        ] {
            assert_eq!(Finish::check(bad).map_err(|invalid| invalid.field), Err("redirect_url"));
        }
    }

    #[test]
    fn what_the_browser_brought_does_not_print() {
        let args = FinishLogin { code: Some("canary".to_owned()), ..FinishLogin::default() };
        assert!(!format!("{args:?}").contains("canary"));
    }

    #[test]
    fn names_have_bounds() {
        for bad in ["", "  ", "a\nb", &"x".repeat(65)] {
            assert!(Start::check(StartLogin { connection: bad.to_owned(), flow: None }).is_err(), "{bad:?}");
        }
    }
}
