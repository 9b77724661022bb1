//! Where operations are done: at the hub that uses the data directory, or on its data when none runs.

use std::process::ExitCode;

use operations::{Definition, Operation};
use serde_json::Value;

use super::{Common, configure, output::fail, remote::Remote, runtime, without_file};
use crate::app::{self, Local};

/// Where the operations are done.
pub(super) enum Place {
    Hub(Box<Remote>),
    Local(Box<Local>),
}

impl Place {
    /// Executes an operation.
    pub(super) async fn call<O: Operation>(&self, args: O::Args) -> Result<O::Result, String> {
        match self {
            Self::Hub(hub) => hub.call::<O>(args).await,
            Self::Local(local) => local.call::<O>(args).await.map_err(|error| error.to_string()),
        }
    }

    /// Executes an operation that is known by its definition.
    pub(super) async fn call_by(
        &self,
        definition: &'static Definition,
        args: Value,
    ) -> Result<Value, String> {
        match self {
            Self::Hub(hub) => hub.operation(definition, args).await,
            Self::Local(local) => local.call_by(definition, args).await.map_err(|error| error.to_string()),
        }
    }
}

/// Finds the place and does something there.
pub(super) fn at_place(common: &Common, act: impl AsyncFnOnce(&Place) -> Result<(), String>) -> ExitCode {
    let configured = match configure(common, None) {
        Ok(configured) => configured,
        // A key must be revocable while the file is broken: the running hub has its own settings.
        Err(code) => match without_file(common) {
            Some(configured) => configured,
            None => return code,
        },
    };
    let done = runtime().map(|runtime| {
        runtime.block_on(async {
            let data_dir = &configured.loaded.boot.data_dir;
            let place = match app::running_hub(data_dir).map_err(|error| error.to_string())? {
                Some((url, secret)) => Place::Hub(Box::new(Remote::new(url, secret))),
                None => {
                    let local = Local::open(configured).await.map_err(|error| error.to_string())?;
                    Place::Local(Box::new(local))
                }
            };
            let done = act(&place).await;
            if let Place::Local(local) = place {
                local.close().await.map_err(|error| error.to_string())?;
            }
            done
        })
    });
    match done {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(text)) => fail(&text),
        Err(code) => code,
    }
}
