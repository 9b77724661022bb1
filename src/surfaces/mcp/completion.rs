//! What an argument of a prompt or a template may be, as far as the caller may know.

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};
use serde_json::{Value, json};

use super::{
    guides, prompts,
    resources::{RESULTS, Resources, is_open},
    visitor::Visitor,
};

/// Names that are looked through at most.
const LOOKED_AT: u32 = 500;

/// Requests that are looked through: the latest.
const REQUESTS: u32 = 100;

/// Completes an argument. What is not known has no completions.
pub(super) async fn complete(
    resources: &Resources,
    visitor: &Visitor,
    params: CompleteRequestParams,
) -> Result<CompleteResult, ErrorData> {
    let typed = params.argument.value.to_lowercase();
    let ask = Ask { resources, visitor };
    let values = match &params.r#ref {
        Reference::Prompt(prompt) => match (prompt.name.as_str(), params.argument.name.as_str()) {
            ("diagnose_model", "model") => {
                let mut names = ask.names("list_combos", "items").await;
                names.extend(ask.models(&typed).await);
                names
            }
            ("diagnose_model", "connection") => ask.names("list_connections", "items").await,
            ("cut_costs", "period") => prompts::PERIODS.map(str::to_owned).to_vec(),
            ("set_up_client", "client") => guides::names(),
            _ => return Err(unknown(&params)),
        },
        Reference::Resource(template) => match template.uri.as_str() {
            "trivium://combos/{name}" => ask.names("list_combos", "items").await,
            "trivium://requests/{id}" => ask.requests().await,
            uri if uri == format!("trivium://{RESULTS}/{{id}}") => resources.shelf.of(&visitor.caller.id),
            _ => return Err(unknown(&params)),
        },
        _ => return Err(unknown(&params)),
    };
    fitting(values, &typed)
}

/// Those that begin with what was typed, and then those that hold it.
fn fitting(values: Vec<String>, typed: &str) -> Result<CompleteResult, ErrorData> {
    let mut ranked: Vec<(bool, String)> = values
        .into_iter()
        .filter_map(|value| {
            let lower = value.to_lowercase();
            lower.contains(typed).then(|| (!lower.starts_with(typed), value))
        })
        .collect();
    // In their order otherwise.
    ranked.sort_by_key(|(within, _)| *within);
    ranked.dedup();
    let total = ranked.len();
    let values: Vec<_> =
        ranked.into_iter().take(CompletionInfo::MAX_VALUES).map(|(_, value)| value).collect();
    let more = total > values.len();
    let info = CompletionInfo::with_pagination(values, u32::try_from(total).ok(), more);
    info.map(CompleteResult::new).map_err(|error| ErrorData::internal_error(error, None))
}

fn unknown(params: &CompleteRequestParams) -> ErrorData {
    let name: String = params.argument.name.chars().take(64).collect();
    ErrorData::invalid_params(format!("there is no argument `{name}` there"), None)
}

struct Ask<'a> {
    resources: &'a Resources,
    visitor: &'a Visitor,
}

impl Ask<'_> {
    async fn names(&self, operation: &str, list: &str) -> Vec<String> {
        self.ids(operation, json!({ "limit": LOOKED_AT }), list, "id").await
    }

    /// Models whose names hold what was typed.
    async fn models(&self, typed: &str) -> Vec<String> {
        let mut args = json!({ "limit": LOOKED_AT });
        if !typed.trim().is_empty()
            && let Some(args) = args.as_object_mut()
        {
            args.insert("search".to_owned(), typed.trim().into());
        }
        self.ids("list_models", args, "models", "id").await
    }

    async fn requests(&self) -> Vec<String> {
        self.ids("list_traces", json!({ "limit": REQUESTS }), "traces", "request_id").await
    }

    /// What a list names; nothing, if the visitor may not see it.
    async fn ids(&self, operation: &str, args: Value, list: &str, id: &str) -> Vec<String> {
        if !is_open(&self.resources.settings(), self.visitor, operation) {
            return Vec::new();
        }
        let Ok(answer) = self.resources.call(self.visitor, operation, args).await else { return Vec::new() };
        let items = answer.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(|item| Some(item.get(id)?.as_str()?.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_hundred_come_at_most_and_the_rest_is_counted() {
        let values: Vec<_> = (0..250).map(|nth| format!("Model-{nth:03}")).collect();
        let all = fitting(values.clone(), "").unwrap().completion;
        assert_eq!((all.values.len(), all.total, all.has_more), (100, Some(250), Some(true)));
        let some = fitting(values, "24").unwrap().completion;
        assert_eq!((some.total, some.has_more), (Some(13), Some(false)));
        let order = fitting(vec!["b-a".into(), "a".into()], "a").unwrap().completion;
        assert_eq!(order.values, ["a", "b-a"]);
    }
}
