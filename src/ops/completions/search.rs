//! Having the web searched: a request that demands the search, at models that are tagged for it.

use operations::{
    Scope,
    completions::{ChatMessage, Speaker},
    search::{FoundPage, SearchKind, WebSearchArgs, WebSearchResult},
};
use serde_json::json;

use super::{Completions, Question, conversation, routed};
use crate::{
    engine::{need::Wishes, reuse::Freshness, settings::AUTO},
    ops::{OpError, error::require, registry::Asked},
};

/// The tag of models that can search.
const TAG: &str = "web-search";
/// The tool that stands for the search in the chat dialect.
const TOOL: &str = "web_search_preview";
/// Pages when nothing is said.
const PAGES: u32 = 5;

impl Completions {
    /// Has the web searched.
    ///
    /// # Errors
    /// When no model is tagged for it, and what the model API would refuse it with.
    pub async fn search(&self, asked: &Asked, args: WebSearchArgs) -> Result<WebSearchResult, OpError> {
        // It is a request to a model like any other.
        require(&asked.caller, Scope::ExecuteCompletions)?;
        let most = args.max_results.unwrap_or(PAGES);
        let what = match args.search_type {
            SearchKind::Web => "pages",
            SearchKind::News => "recent news",
        };
        let wish = format!(
            "Search the web for {what} about what the user asks. Answer in a few sentences, and refer to at most {most} \
             pages."
        );
        let messages = [
            ChatMessage { role: Speaker::System, content: wish },
            ChatMessage { role: Speaker::User, content: args.query },
        ];
        let mut body = conversation(AUTO, &messages);
        body.insert("tools".to_owned(), json!([{"type": TOOL}]));
        body.insert("tool_choice".to_owned(), json!({"type": TOOL}));
        let question = Question {
            body,
            wishes: Wishes::default(),
            searches: Some(TAG),
            freshness: Freshness::default(),
            progress: None,
        };
        let done = self.ask(asked, question).await?;
        let cited = done.said.as_ref().map(|said| said.cited.clone()).unwrap_or_default();
        let answer = routed::answer(done, None, &asked.caller)?;
        let mut results: Vec<FoundPage> = Vec::new();
        for page in cited {
            let is_new = !results.iter().any(|known| known.url == page.url);
            if is_new && results.len() < usize::try_from(most).unwrap_or(usize::MAX) {
                results.push(FoundPage { url: page.url, title: page.title });
            }
        }
        Ok(WebSearchResult {
            request_id: answer.request_id,
            summary: answer.response.content,
            results,
            provider: answer.routing.provider,
            model: answer.response.model,
            cost_usd: answer.routing.cost_usd,
        })
    }
}
