//! The OpenAPI 3.1 document of the management API, made from the definitions. Nothing here is said twice: what an operation
//! is comes from its definition, what its arguments are from its types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::Definition;

/// What the arguments and results are called below.
const COMPONENTS: &str = "/components/schemas";

/// The document. `version` is the program's.
#[must_use]
pub fn document(version: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = COMPONENTS.into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for definition in Definition::all() {
        let args = (definition.args)(&mut schemas).to_value();
        let result = (definition.result)(&mut schemas).to_value();
        let args = resolved(&args, schemas.definitions());
        let operation = operation(definition, &args, &result);
        let path = paths.entry(definition.route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(definition.route.method.as_str().to_ascii_lowercase(), operation);
        }
    }
    let mut components = schemas.take_definitions(true);
    components.insert("Error".to_owned(), error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Trivium's management API",
            "version": version,
            "description": "Every operation of the hub. The same operations are commands of `trivium`. \
                Times are milliseconds since the Unix epoch; amounts are US dollars.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn operation(definition: &Definition, args: &Value, result: &Value) -> Value {
    let route = definition.route;
    let example: Value = serde_json::from_str(definition.example).unwrap_or_default();
    let mut operation = json!({
        "operationId": definition.name,
        "summary": definition.title,
        "description": format!("{}\n\nNeeds the scope `{}`.", definition.summary, definition.scope),
        "tags": [definition.command.0],
        "parameters": parameters(definition, args, &example),
        "responses": responses(definition, args, result),
        "x-scope": definition.scope.as_str(),
        "x-read-only": definition.hints.read_only,
        "x-destructive": definition.hints.destructive,
        "x-idempotent": definition.hints.idempotent,
    });
    if route.method.has_body()
        && let Some((schema, required)) = body(definition, args)
        && let Some(operation) = operation.as_object_mut()
    {
        let example = match route.body {
            Some(whole) => example.get(whole).cloned().unwrap_or_default(),
            None => {
                let mut rest = example.as_object().cloned().unwrap_or_default();
                rest.retain(|name, _| !route.parameters().any(|parameter| parameter == name));
                Value::Object(rest)
            }
        };
        let content = json!({ "application/json": { "schema": schema, "example": example } });
        operation.insert("requestBody".to_owned(), json!({ "required": required, "content": content }));
    }
    operation
}

/// What the path, the query and `If-Match` carry.
fn parameters(definition: &Definition, args: &Value, example: &Value) -> Vec<Value> {
    let route = definition.route;
    let mut parameters = Vec::new();
    for name in route.parameters() {
        parameters.push(parameter("path", name, property(args, name), true, example.get(name)));
    }
    if !route.method.has_body() {
        let names = args.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
        for name in names {
            if route.parameters().any(|parameter| parameter == name) || (route.guarded && name == "version") {
                continue;
            }
            parameters.push(parameter(
                "query",
                name,
                property(args, name),
                is_required(args, name),
                example.get(name),
            ));
        }
    }
    if route.guarded {
        let mut header = parameter("header", "If-Match", json!({ "type": "string" }), false, None);
        if let Some(header) = header.as_object_mut() {
            let about = "The ETag that was seen: the change is made only if nobody changed it since, and answered 412 otherwise.";
            header.insert("description".to_owned(), about.into());
        }
        parameters.push(header);
    }
    parameters
}

fn parameter(place: &str, name: &str, schema: Value, required: bool, example: Option<&Value>) -> Value {
    let mut parameter = json!({ "in": place, "name": name, "required": required });
    if let Some(fields) = parameter.as_object_mut() {
        if let Some(about) = schema.get("description") {
            fields.insert("description".to_owned(), about.clone());
        }
        fields.insert("schema".to_owned(), schema);
        if let Some(example) = example {
            fields.insert("example".to_owned(), example.clone());
        }
    }
    parameter
}

/// The schema of the body, and whether there must be one.
fn body(definition: &Definition, args: &Value) -> Option<(Value, bool)> {
    let route = definition.route;
    if let Some(whole) = route.body {
        return Some((property(args, whole), true));
    }
    let mut schema = args.as_object()?.clone();
    let elsewhere = |name: &str| {
        route.parameters().any(|parameter| parameter == name) || (route.guarded && name == "version")
    };
    let properties = schema.get_mut("properties")?.as_object_mut()?;
    properties.retain(|name, _| !elsewhere(name));
    if properties.is_empty() {
        return None;
    }
    let mut required = false;
    if let Some(names) = schema.get_mut("required").and_then(Value::as_array_mut) {
        names.retain(|name| !name.as_str().is_some_and(elsewhere));
        required = !names.is_empty();
    }
    Some((Value::Object(schema), required))
}

fn responses(definition: &Definition, args: &Value, result: &Value) -> Value {
    let error = |about: &str| {
        let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
        json!({ "description": about, "content": content })
    };
    let done = json!({ "description": "Done.", "content": { "application/json": { "schema": result } } });
    let mut all = Map::new();
    all.insert(definition.route.status.to_string(), done);
    for (status, about) in [
        ("400", "An argument cannot be accepted; the message says which and why."),
        ("401", "No key, or one that is not accepted."),
        ("403", "The caller does not hold the scope."),
        ("404", "There is no such thing."),
        ("409", "It does not go together with what is there."),
        ("412", "It was changed since the version that was named."),
        ("413", "The body is too large."),
        ("429", "Too many requests, or too many failed ones."),
        ("502", "Every provider that was asked failed."),
        ("503", "The hub is stopping, its store cannot be reached, or nobody can be asked now."),
        ("504", "The time for an answer is over."),
    ] {
        let possible = match status {
            "412" => definition.route.guarded || args.pointer("/properties/version").is_some(),
            // What is given up when its caller leaves is what asks models.
            "502" | "504" => definition.ends_with_caller,
            _ => true,
        };
        if !possible {
            continue;
        }
        all.insert(status.to_owned(), error(about));
    }
    Value::Object(all)
}

fn property(args: &Value, name: &str) -> Value {
    args.pointer("/properties").and_then(|all| all.get(name)).cloned().unwrap_or_else(|| json!({}))
}

fn is_required(args: &Value, name: &str) -> bool {
    let required = args.get("required").and_then(Value::as_array);
    required.is_some_and(|all| all.iter().any(|one| one == name))
}

/// Arguments are written out where they are used, since they are spread over path, query, header and body.
fn resolved(schema: &Value, definitions: &Map<String, Value>) -> Value {
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|at| at.rsplit('/').next());
    name.and_then(|name| definitions.get(name)).unwrap_or(schema).clone()
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong; docs/errors.md lists every code.",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "code"],
                "properties": {
                    "message": { "type": "string", "description": "What happened and what to do, for people." },
                    "type": { "type": "string", "description": "The family of the code." },
                    "code": { "type": "string", "description": "The code." },
                    "param": { "type": ["string", "null"], "description": "The argument that is meant." },
                    "request_id": { "type": "string", "description": "The hub's id of the request." },
                },
            },
        },
    })
}
