//! `trivium login` and `trivium logout`: asked of the running hub, which holds the tokens and renews them.

use std::{
    io::{BufRead, IsTerminal, stdin},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use operations::oauth::{
    Finish, FinishLogin, LoginFlow, LoginStarted, LoginState, LoginStatus, Logout, LogoutConnection,
    OAuthCredential, Progress, Start, StartLogin, Status,
};

use super::{
    Common, configure,
    output::{bold, fail, note, say},
    remote::Remote,
    runtime, without_file,
};
use crate::app;

/// How often the hub is asked for the end of a login.
const ASK: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(super) struct LoginArgs {
    /// The connection's id
    connection: String,
    /// Show a code to be typed on any device, instead of waiting for a browser that comes back
    #[arg(long, conflicts_with = "paste")]
    device: bool,
    /// Ask for the address at which the browser ended, for a hub that the browser cannot reach
    #[arg(long)]
    paste: bool,
}

#[derive(Args)]
pub(super) struct LogoutArgs {
    /// The connection's id
    connection: String,
}

pub(super) fn login(args: &LoginArgs, common: &Common) -> ExitCode {
    with_hub(common, async |hub| {
        let flow = args.device.then_some(LoginFlow::Device);
        let asked = StartLogin { connection: args.connection.clone(), flow };
        let started = hub.call::<Start>(asked).await?;
        show(&started);
        let state = if args.paste && started.flow == LoginFlow::Code {
            finish(hub, pasted()?).await?
        } else {
            ended(hub, &started).await?
        };
        match state.progress {
            Progress::Done => {
                say(&format!("Logged in to {}{}.", state.connection, whose(state.credential.as_ref())));
                Ok(())
            }
            Progress::Pending => Err("the login is still pending".to_owned()),
            Progress::Failed => Err(state.message.unwrap_or_else(|| "the login failed".to_owned())),
        }
    })
}

pub(super) fn logout(args: &LogoutArgs, common: &Common) -> ExitCode {
    with_hub(common, async |hub| {
        let out = hub.call::<Logout>(LogoutConnection { connection: args.connection.clone() }).await?;
        say(&match out.had_tokens {
            true => format!("Logged out of {}. The provider was not told.", out.connection),
            false => format!("Nobody was logged in to {}.", out.connection),
        });
        Ok(())
    })
}

/// Asks the running hub. Without one there is nobody who could wait for a browser, and renew what it brings.
fn with_hub(common: &Common, act: impl AsyncFnOnce(&Remote) -> Result<(), String>) -> ExitCode {
    let configured = match configure(common, None) {
        Ok(configured) => configured,
        Err(code) => match without_file(common) {
            Some(configured) => configured,
            None => return code,
        },
    };
    let hub = match app::running_hub(&configured.loaded.boot.data_dir) {
        Ok(Some((url, secret))) => Remote::new(url, secret),
        Ok(None) => {
            let dir = configured.loaded.boot.data_dir.display();
            return fail(&format!(
                "no hub runs on {dir}, and only a running one can log in. Start it with `trivium`, and say this again \
                 in another terminal"
            ));
        }
        Err(error) => return fail(&error.to_string()),
    };
    match runtime().map(|runtime| runtime.block_on(act(&hub))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(text)) => fail(&text),
        Err(code) => code,
    }
}

fn show(started: &LoginStarted) {
    if let Some(url) = &started.url {
        note("Open this address in a browser and log in:");
        say(&bold(url));
    }
    if let (Some(code), Some(url)) = (&started.user_code, &started.verification_url) {
        note(&format!("Open {url} on any device, and type this code:"));
        say(&bold(code));
        if let Some(complete) = &started.verification_url_complete {
            note(&format!("Or open {complete}"));
        }
    }
}

/// Waits until somebody logged in. Where a browser cannot come back, the address at which it ended is taken from the
/// terminal meanwhile.
async fn ended(hub: &Remote, started: &LoginStarted) -> Result<LoginState, String> {
    if started.flow == LoginFlow::Code {
        let back = started.redirect_url.as_deref().unwrap_or_default();
        note(&format!(
            "Waiting until the browser comes back to {back}. If it ends at a page that cannot be reached, stop this and say \
             `trivium login {} --paste`.",
            started.connection
        ));
    }
    loop {
        let state = hub.call::<Status>(LoginStatus { login: started.login.clone() }).await?;
        if state.progress != Progress::Pending {
            return Ok(state);
        }
        tokio::time::sleep(ASK).await;
    }
}

async fn finish(hub: &Remote, address: String) -> Result<LoginState, String> {
    let args = FinishLogin { redirect_url: Some(address), ..FinishLogin::default() };
    hub.call::<Finish>(args).await
}

/// The address at which the browser ended, from the terminal or a pipe.
fn pasted() -> Result<String, String> {
    if stdin().is_terminal() {
        note("Then paste the whole address at which the browser ended, even if the page could not be shown:");
    }
    let mut line = String::new();
    stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    let line = line.trim();
    if line.is_empty() { Err("no address was pasted".to_owned()) } else { Ok(line.to_owned()) }
}

fn whose(credential: Option<&OAuthCredential>) -> String {
    let email = credential.and_then(|one| one.email.as_deref());
    let workspace = credential.and_then(|one| one.workspace.as_deref());
    match (email, workspace) {
        (Some(email), Some(workspace)) => format!(" as {email} in {workspace}"),
        (Some(email), None) => format!(" as {email}"),
        (None, Some(workspace)) => format!(" in {workspace}"),
        (None, None) => String::new(),
    }
}
