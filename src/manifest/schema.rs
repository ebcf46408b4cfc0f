//! One walk of a document beside the schema of its type: unknown fields, wrong types, missing fields and fields that podctl
//! does not carry out, all in one run; and the document as JSON, without what was wrong.
//!
//! Not here: rules about values (`check`), which fields are carried out (`fields`).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use k8s_openapi::api::core::v1;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Number, Value as Json};

use super::fields::{self, Support};
use super::problem::{Report, Severity};
use super::scalar::Scalar;
use super::yaml::{Entry, Node, Value};

/// The schemas of the types that podctl reads, made once.
pub(super) struct Schemas {
    pod: Json,
    config_map: Json,
}

pub(super) static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| {
    let of = |schema: schemars::Schema| schema.to_value();
    let settings = SchemaSettings::draft2020_12;
    Schemas {
        pod: of(settings()
            .into_generator()
            .into_root_schema_for::<v1::Pod>()),
        config_map: of(settings()
            .into_generator()
            .into_root_schema_for::<v1::ConfigMap>()),
    }
});

impl Schemas {
    pub(super) fn pod(&self) -> &Json {
        &self.pod
    }

    pub(super) fn config_map(&self) -> &Json {
        &self.config_map
    }
}

/// What a walk needs besides the node.
pub(super) struct Walk<'a> {
    pub(super) root: &'a Json,
    pub(super) report: &'a mut Report,
    /// Whether the fields table speaks of this type.
    pub(super) table: bool,
}

impl<'a> Walk<'a> {
    /// The document as JSON; `None` for a node that is refused or null.
    pub(super) fn node(&mut self, node: &Node, schema: &Json, path: &str) -> Option<Json> {
        self.report
            .places
            .insert(path.to_owned(), node.span.clone());
        if node.is_null() {
            return None;
        }
        let schema = self.resolve(schema);
        if schema.get("x-kubernetes-int-or-string").is_some() {
            return self.int_or_string(node, path);
        }
        match (schema.get("type").and_then(Json::as_str), &node.value) {
            (Some("object"), Value::Map(entries)) => Some(self.object(entries, schema, node, path)),
            (Some("array"), Value::List(nodes)) => {
                let items = schema.get("items").unwrap_or(&Json::Null);
                let list = nodes.iter().enumerate().map(|(i, node)| {
                    // A null in a list keeps its place (Go: the zero value).
                    self.node(node, items, &format!("{path}[{i}]"))
                        .unwrap_or(Json::Null)
                });
                Some(Json::Array(list.collect()))
            }
            (Some("string"), Value::Scalar(Scalar::Text(text))) => Some(Json::String(text.clone())),
            (Some("boolean"), Value::Scalar(Scalar::Bool(value))) => Some(Json::Bool(*value)),
            (Some("integer"), Value::Scalar(scalar)) => self.integer(scalar, schema, node, path),
            (Some("number"), Value::Scalar(Scalar::Int(value))) => Some(Json::from(*value)),
            (Some("number"), Value::Scalar(Scalar::Float(value))) => {
                Number::from_f64(*value).map(Json::Number)
            }
            (None, _) => Some(json(node)),
            (Some(wanted), _) => self.wrong_type(wanted, node, path),
        }
    }

    fn resolve<'s>(&self, mut schema: &'s Json) -> &'s Json
    where
        'a: 's,
    {
        loop {
            let reference = schema
                .get("$ref")
                .or_else(|| schema.pointer("/allOf/0/$ref"));
            let Some(name) = reference
                .and_then(Json::as_str)
                .and_then(|r| r.strip_prefix("#/$defs/"))
            else {
                return schema;
            };
            schema = &self.root["$defs"][name];
        }
    }

    fn object(&mut self, entries: &[Entry], schema: &Json, node: &Node, path: &str) -> Json {
        let empty = Map::new();
        let properties = schema
            .get("properties")
            .and_then(Json::as_object)
            .unwrap_or(&empty);
        let additional = schema
            .get("additionalProperties")
            .filter(|schema| schema.is_object());
        let mut object = Map::new();
        for Entry {
            key,
            key_span,
            node,
        } in entries
        {
            let of_key = if additional.is_some() {
                format!("{path}[{key}]")
            } else {
                join(path, key)
            };
            let schema = match (properties.get(key), additional) {
                (Some(schema), _) | (None, Some(schema)) => schema,
                // A type without a description of its fields takes any.
                (None, None) if properties.is_empty() => {
                    object.insert(key.clone(), json(node));
                    continue;
                }
                (None, None) => {
                    self.unknown_field(key, key_span, properties, &of_key);
                    continue;
                }
            };
            let refused = self.table
                && additional.is_none()
                && !self.carried_out(key_span, node, schema, &of_key);
            if refused {
                continue;
            }
            if let Some(value) = self.node(node, schema, &of_key) {
                object.insert(key.clone(), value);
            }
        }
        let required = schema.get("required").and_then(Json::as_array);
        for name in required.into_iter().flatten().filter_map(Json::as_str) {
            let there = entries
                .iter()
                .any(|entry| entry.key == name && !entry.node.is_null());
            if !there && name != "metadata" {
                let place = entries
                    .first()
                    .map_or_else(|| node.span.clone(), |e| e.key_span.clone());
                let field = join(path, name);
                self.report.places.entry(field.clone()).or_insert(place);
                self.report
                    .error(&field, "required value: the field is missing");
            }
        }
        Json::Object(object)
    }

    /// Whether podctl takes the field; else the report says why not. A fault in the form of its value comes first.
    fn carried_out(&mut self, key: &Range<usize>, node: &Node, schema: &Json, path: &str) -> bool {
        let why = match fields::support(path) {
            Support::Honoured => return true,
            // Whatever writes manifests writes empty fields too.
            _ if says_nothing(node, path) => return false,
            Support::NoEffect => return true,
            Support::Stripped => return false,
            Support::NotYet => "not supported yet: podctl does not carry this field out".to_owned(),
            Support::Refused(why) => format!("forbidden: {why}"),
        };
        let n_problems = self.report.problems.len();
        Walk {
            root: self.root,
            report: &mut *self.report,
            table: false,
        }
        .node(node, schema, path);
        if self.report.problems.len() == n_problems {
            self.report
                .push(Severity::Error, key.clone(), path, why, None);
        }
        false
    }

    fn unknown_field(
        &mut self,
        key: &str,
        at: &Range<usize>,
        known: &Map<String, Json>,
        path: &str,
    ) {
        let near = nearest(key, known.keys().map(String::as_str));
        let hint = near.map(|name| format!("did you mean `{name}`?"));
        self.report.push(
            Severity::Error,
            at.clone(),
            path,
            format!("unknown field `{key}`"),
            hint,
        );
    }

    fn int_or_string(&mut self, node: &Node, path: &str) -> Option<Json> {
        match &node.value {
            Value::Scalar(Scalar::Text(text)) => Some(Json::String(text.clone())),
            Value::Scalar(Scalar::Int(value)) => Some(Json::from(*value)),
            // A quantity such as 0.5.
            Value::Scalar(Scalar::Float(value)) => Some(Json::String(value.to_string())),
            _ => self.wrong_type("string", node, path),
        }
    }

    fn integer(&mut self, scalar: &Scalar, schema: &Json, node: &Node, path: &str) -> Option<Json> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is whole, and within the bounds"
        )]
        let value = match scalar {
            Scalar::Int(value) => *value,
            // Go: a number without a fraction is an integer.
            Scalar::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => *value as i64,
            _ => return self.wrong_type("integer", node, path),
        };
        if schema.get("format").and_then(Json::as_str) == Some("int32")
            && i32::try_from(value).is_err()
        {
            self.report.error(
                path,
                format!("invalid value {value}: does not fit into 32 bits"),
            );
            return None;
        }
        Some(Json::from(value))
    }

    fn wrong_type(&mut self, wanted: &str, node: &Node, path: &str) -> Option<Json> {
        let wanted = match wanted {
            "string" => "text",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "array" => "a list",
            _ => "a map",
        };
        let (found, quotable) = match &node.value {
            Value::Scalar(Scalar::Bool(value)) => (format!("the truth value {value}"), true),
            Value::Scalar(Scalar::Int(value)) => (format!("the number {value}"), true),
            Value::Scalar(Scalar::Float(value)) => (format!("the number {value}"), true),
            Value::Scalar(Scalar::Text(text)) => (format!("the text `{}`", shorten(text)), false),
            Value::Scalar(Scalar::Null) => ("nothing".to_owned(), false),
            Value::List(_) => ("a list".to_owned(), false),
            Value::Map(_) => ("a map".to_owned(), false),
        };
        let hint = (wanted == "text" && quotable).then(|| {
            "put it in quotes: Kubernetes reads it as YAML 1.1, where it is not text without them".to_owned()
        });
        let hint = hint.or_else(|| unquote(wanted, node));
        self.report.error_with(
            path,
            format!("wrong type: must be {wanted}, but is {found}"),
            hint,
        );
        None
    }
}

/// `"80"` where a number is wanted.
fn unquote(wanted: &str, node: &Node) -> Option<String> {
    let text = node.text()?;
    let fits = match wanted {
        "a whole number" => text.parse::<i64>().is_ok(),
        "true or false" => matches!(text, "true" | "false"),
        _ => false,
    };
    fits.then(|| format!("leave the quotes away: {text}"))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn shorten(text: &str) -> String {
    let mut chars = text.chars();
    let short: String = chars.by_ref().take(40).collect();
    if chars.next().is_some() {
        format!("{short}...")
    } else {
        short
    }
}

/// Maps that writers of manifests leave empty where they have nothing to say (kubectl run, kubectl create).
const OFTEN_EMPTY: [&str; 3] = ["resources", "securityContext", "status"];

/// What a writer of manifests leaves in a field that it does not use. An empty map says something elsewhere: `secret: {}`
/// is a volume.
fn says_nothing(node: &Node, path: &str) -> bool {
    match &node.value {
        Value::Scalar(Scalar::Null | Scalar::Bool(false) | Scalar::Int(0)) => true,
        Value::Scalar(Scalar::Text(text)) => text.is_empty(),
        Value::Scalar(_) => false,
        Value::List(nodes) => nodes.is_empty(),
        Value::Map(entries) => {
            let field = path.rsplit('.').next().unwrap_or_default();
            entries.is_empty() && OFTEN_EMPTY.contains(&field)
        }
    }
}

/// The node as JSON, without a schema.
fn json(node: &Node) -> Json {
    match &node.value {
        Value::Scalar(Scalar::Null) => Json::Null,
        Value::Scalar(Scalar::Bool(value)) => Json::Bool(*value),
        Value::Scalar(Scalar::Int(value)) => Json::from(*value),
        Value::Scalar(Scalar::Float(value)) => {
            Number::from_f64(*value).map_or(Json::Null, Json::Number)
        }
        Value::Scalar(Scalar::Text(text)) => Json::String(text.clone()),
        Value::List(nodes) => Json::Array(nodes.iter().map(json).collect()),
        Value::Map(entries) => entries
            .iter()
            .map(|entry| (entry.key.clone(), json(&entry.node)))
            .collect(),
    }
}

/// The known name that a misspelt one is nearest to, if it is near.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let distances: HashMap<&str, usize> =
        known.map(|known| (known, distance(name, known))).collect();
    let (nearest, distance) = distances
        .into_iter()
        .min_by_key(|(known, distance)| (*distance, known.len()))?;
    (distance <= 1 + name.len() / 5).then_some(nearest)
}

/// Edits between two names, capitals aside.
fn distance(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let replaced = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let known = ["image", "imagePullPolicy", "env"];
        assert_eq!(
            nearest("imagePullPolcy", known.into_iter()),
            Some("imagePullPolicy")
        );
        assert_eq!(nearest("Image", known.into_iter()), Some("image"));
        assert_eq!(nearest("somethingElse", known.into_iter()), None);
    }
}
