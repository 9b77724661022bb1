//! The methods that have one answer, as a table of jsonrpsee's: both versions' names for the same operation lead to one
//! handler. Who asks comes along in the extensions; the caller's own id never enters the table, and is put into the answer.

use std::sync::Arc;

use a2a::{
    Code, Failure, Operation, Version,
    model::Params,
    rpc::{self, Id},
    v1, v03,
};
use jsonrpsee_core::server::{ConnectionId, Extensions, MethodCallback, Methods, RpcModule};
use jsonrpsee_types::{ErrorObjectOwned, Id as TableId, Params as Raw};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::{agent::Agent, visitor::Visitor};

/// A call that was read, and who makes it.
pub(super) struct Asking {
    pub(super) visitor: Visitor,
    pub(super) version: Version,
    pub(super) params: Params,
}

/// The table.
#[derive(Clone)]
pub(super) struct Table(Methods);

impl Table {
    pub(super) fn new(agent: Arc<Agent>) -> Self {
        let mut module = RpcModule::from_arc(agent);
        for operation in Operation::all().filter(|operation| !operation.is_streaming()) {
            for name in Version::ALL.into_iter().filter_map(|version| operation.method(version)) {
                let registered = module.register_async_method(name, answer);
                debug_assert!(registered.is_ok(), "no name is in both versions");
            }
        }
        Self(module.into())
    }

    /// The response to a call, in its envelope.
    pub(super) async fn call(&self, method: &str, asking: Asking, id: Option<&Id>) -> String {
        let version = asking.version;
        let Some(MethodCallback::Async(callback)) = self.0.method(method) else {
            return rpc::error(id, &Code::MethodNotFound.into(), version).to_string();
        };
        let mut extensions = Extensions::new();
        extensions.insert(Arc::new(asking));
        let answering = callback(TableId::Number(0), Raw::new(None), ConnectionId(0), usize::MAX, extensions);
        spliced(answering.await.as_json(), id)
            .unwrap_or_else(|| rpc::error(id, &Code::Internal.into(), version).to_string())
    }
}

async fn answer(
    _: Raw<'static>,
    agent: Arc<Agent>,
    extensions: Extensions,
) -> Result<Value, ErrorObjectOwned> {
    let Some(asking) = extensions.get::<Arc<Asking>>() else {
        return Err(object(&Code::Internal.into(), Version::V1));
    };
    let Asking { visitor, version, params } = &**asking;
    let reply = agent
        .answer(visitor, *version, params.clone())
        .await
        .map_err(|failure| object(&failure, *version))?;
    Ok(match version {
        Version::V1 => v1::reply(&reply),
        Version::V03 => v03::reply(&reply),
    })
}

fn object(failure: &Failure, version: Version) -> ErrorObjectOwned {
    let data = failure.to_json(version).get("data").cloned();
    ErrorObjectOwned::owned(failure.code.number(), failure.message.clone(), data)
}

/// The two things that a response of the table has beside its id.
#[derive(Deserialize)]
struct Answered<'a> {
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Told<'a> {
    jsonrpc: &'static str,
    id: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a RawValue>,
}

/// A response of the table, with the caller's id in place of the table's.
fn spliced(response: &RawValue, id: Option<&Id>) -> Option<String> {
    let Answered { result, error } = serde_json::from_str(response.get()).ok()?;
    // A result that is `null` reads as none.
    let result = if error.is_none() { Some(result.unwrap_or(RawValue::NULL)) } else { None };
    let id = id.map_or(Value::Null, Id::to_json);
    serde_json::to_string(&Told { jsonrpc: "2.0", id, result, error }).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn the_callers_id_comes_back_as_it_was() {
        let answered = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        for id in ["-7", "1.5", "18446744073709551615", "\"0\"", "\"\"", "null"] {
            let call =
                rpc::parse(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#).as_bytes()).unwrap();
            let told = spliced(&answered(r#"{"jsonrpc":"2.0","id":0,"result":{"a":1.0}}"#), call.id.as_ref());
            assert_eq!(told.unwrap(), format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"a":1.0}}}}"#));
        }
        let none = spliced(&answered(r#"{"jsonrpc":"2.0","id":0,"result":null}"#), None);
        assert_eq!(none.unwrap(), r#"{"jsonrpc":"2.0","id":null,"result":null}"#);
        let error = spliced(&answered(r#"{"jsonrpc":"2.0","id":0,"error":{"code":1,"message":"m"}}"#), None);
        assert_eq!(error.unwrap(), r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"m"}}"#);
    }
}
