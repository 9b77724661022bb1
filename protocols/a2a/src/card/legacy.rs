//! The card of 0.3, and one card for both versions. Only cards of the pure forms can be signed over what every client
//! takes for the content: the one for both has fields that the schema of 1.0 does not know.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::security::{
    ApiKey, Flow, HttpAuthentication, MutualTls, OAuth2, OpenIdConnect, Requirement, SecurityScheme,
};
use super::{Card, Interface, Skill, v1};
use crate::shape::Object;

/// The card names no interface of 0.3, so there is no address to put into a card of 0.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoInterface;

impl std::fmt::Display for NoInterface {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("the agent card has no interface of A2A 0.3")
    }
}

impl std::error::Error for NoInterface {}

/// The version that a card of 0.3 names.
const PROTOCOL_VERSION: &str = "0.3.0";

/// The card of 0.3. Its addresses are the interfaces of 0.3, the first of them preferred. Not said: PKCE, the device
/// flow, tenants; and the signatures, which are over the card of 1.0.
///
/// # Errors
///
/// There is no interface of 0.3.
pub fn v03(card: &Card) -> Result<Value, NoInterface> {
    let capabilities = Object::new()
        .some("streaming", card.capabilities.streaming)
        .some("pushNotifications", card.capabilities.push_notifications)
        .list("extensions", &card.capabilities.extensions, |it| json!(it));
    let schemes: Map<String, Value> =
        card.security_schemes.iter().map(|(name, scheme)| (name.clone(), old_scheme(scheme))).collect();
    let object = addresses(card, Object::new())?
        .set("name", card.name.as_str())
        .set("description", card.description.as_str())
        .set("version", card.version.as_str())
        .set("capabilities", capabilities.done())
        .set("defaultInputModes", card.default_input_modes.as_slice())
        .set("defaultOutputModes", card.default_output_modes.as_slice())
        .set("skills", card.skills.iter().map(old_skill).collect::<Vec<_>>())
        .some("provider", card.provider.as_ref().map(|it| json!(it)))
        .text("documentationUrl", card.documentation_url.as_ref())
        .text("iconUrl", card.icon_url.as_ref())
        .some("securitySchemes", Some(schemes).filter(|it| !it.is_empty()))
        .list("security", &card.security_requirements, old_requirement);
    Ok(object.done())
}

/// One card for clients of both versions: that of 1.0, and the fields that 0.3 requires beside them. Security schemes
/// are in both spellings, in one object each. Signatures are left out: they are not over these fields.
///
/// # Errors
///
/// There is no interface of 0.3.
pub fn hybrid(card: &Card) -> Result<Value, NoInterface> {
    let (Value::Object(new), Value::Object(old)) = (v1(card), v03(card)?) else { return Err(NoInterface) };
    let mut both = merged(new, old);
    both.shift_remove("signatures");
    Ok(Value::Object(both))
}

/// The fields of both; objects within objects likewise, and lists entry by entry. Where both say something else, the
/// newer holds.
fn merged(mut new: Map<String, Value>, old: Map<String, Value>) -> Map<String, Value> {
    for (name, old) in old {
        match (new.get_mut(&name), old) {
            (None, old) => drop(new.insert(name, old)),
            (Some(Value::Object(new)), Value::Object(old)) => *new = merged(std::mem::take(new), old),
            (Some(Value::Array(new)), Value::Array(old)) => {
                for pair in new.iter_mut().zip(old) {
                    if let (Value::Object(new), Value::Object(old)) = pair {
                        *new = merged(std::mem::take(new), old);
                    }
                }
            }
            (Some(_), _) => {}
        }
    }
    new
}

fn addresses(card: &Card, object: Object) -> Result<Object, NoInterface> {
    let is_old = |it: &&Interface| it.protocol_version == "0.3" || it.protocol_version.starts_with("0.3.");
    let mut old = card.supported_interfaces.iter().filter(is_old);
    let first = old.next().ok_or(NoInterface)?;
    let others: Vec<&Interface> = old.collect();
    Ok(object
        .set("protocolVersion", PROTOCOL_VERSION)
        .set("url", first.url.as_str())
        .set("preferredTransport", first.protocol_binding.as_str())
        .list("additionalInterfaces", &others, |it| json!({"url": it.url, "transport": it.protocol_binding}))
        .some("supportsAuthenticatedExtendedCard", card.capabilities.extended_agent_card))
}

fn old_skill(skill: &Skill) -> Value {
    Object::new()
        .set("id", skill.id.as_str())
        .set("name", skill.name.as_str())
        .set("description", skill.description.as_str())
        .set("tags", skill.tags.as_slice())
        .texts("examples", &skill.examples)
        .texts("inputModes", &skill.input_modes)
        .texts("outputModes", &skill.output_modes)
        .list("security", &skill.security_requirements, old_requirement)
        .done()
}

fn old_requirement(requirement: &Requirement) -> Value {
    let schemes: BTreeMap<&str, &[String]> =
        requirement.schemes.iter().map(|(name, scopes)| (name.as_str(), scopes.list.as_slice())).collect();
    json!(schemes)
}

fn old_scheme(scheme: &SecurityScheme) -> Value {
    let begin = |kind, description: &String| {
        Object::new().set("type", kind).text("description", Some(description).filter(|it| !it.is_empty()))
    };
    let object = match scheme {
        SecurityScheme::ApiKey(ApiKey { description, location, name }) => {
            begin("apiKey", description).set("in", location.as_str()).set("name", name.as_str())
        }
        SecurityScheme::Http(HttpAuthentication { description, scheme, bearer_format }) => {
            begin("http", description)
                .set("scheme", scheme.as_str())
                .text("bearerFormat", Some(bearer_format).filter(|it| !it.is_empty()))
        }
        SecurityScheme::OAuth2(OAuth2 { description, flows, oauth2_metadata_url }) => {
            begin("oauth2", description)
                .set("flows", old_flows(flows))
                .text("oauth2MetadataUrl", Some(oauth2_metadata_url).filter(|it| !it.is_empty()))
        }
        SecurityScheme::OpenIdConnect(OpenIdConnect { description, open_id_connect_url }) => {
            begin("openIdConnect", description).set("openIdConnectUrl", open_id_connect_url.as_str())
        }
        SecurityScheme::MutualTls(MutualTls { description }) => begin("mutualTLS", description),
    };
    object.done()
}

/// The flow as 0.3 writes it: scopes are required there, PKCE and the device flow unknown.
fn old_flows(flow: &Flow) -> Value {
    if matches!(flow, Flow::DeviceCode(_)) {
        return json!({});
    }
    let mut flows = json!(flow);
    for flow in flows.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        flow.shift_remove("pkceRequired");
        flow.entry("scopes").or_insert_with(|| json!({}));
    }
    flows
}
