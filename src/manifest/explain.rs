//! What a field is: its type and text from Kubernetes' own types, and what podctl does with it.
//!
//! Not here: laying it out (`commands::explain`), the table (`fields`).

use std::collections::{BTreeMap, BTreeSet};

use super::fields::{Standing, standing};
use super::objects::Kind;
use super::schema::{Shape, Type, described, schema};
use super::suggest::nearest;

/// One field, or a kind as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name; of a kind, the kind's.
    pub name: String,
    /// As Kubernetes writes types: `[]Container`, `map[string]string`, `integer`.
    pub type_name: String,
    /// What Kubernetes says of it.
    pub description: String,
    /// What podctl does with it; `None`: it belongs to a kind that is checked and not run.
    pub standing: Option<Standing>,
}

/// A field and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The kind that the path begins with.
    pub kind: &'static str,
    /// The field; the kind where the path names nothing else.
    pub field: Field,
    /// The fields in it, by name.
    pub children: Vec<Field>,
}

/// Explains a path such as `pod.spec.containers.livenessProbe`.
///
/// # Errors
/// A kind or a field that is not there, with the nearest one that is.
pub fn explain(path: &str) -> Result<Explained, String> {
    let mut parts = path.split('.').map(|part| part.trim_end_matches("[]"));
    let first = parts.next().unwrap_or_default();
    let kind = kind(first)?;
    let described = described();
    let mut field = Field {
        name: kind.name().to_owned(),
        type_name: "Object".to_owned(),
        description: described.of_type(kind.name()),
        standing: None,
    };
    let mut of = Some(kind.name().to_owned());
    // What is inside a field that is not carried out is not carried out either.
    let mut inherited = None;
    for part in parts {
        let parent = of.as_deref().unwrap_or_default();
        let fields = &schema().get(parent).fields;
        let Some(shape) = fields.get(part) else {
            let hint = nearest(part, fields.keys().map(String::as_str));
            let hint = hint
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            return Err(format!("`{}` has no field `{part}`{hint}", field.name));
        };
        field = one(kind, parent, part, shape, inherited, &described);
        inherited = field
            .standing
            .filter(|standing| !matches!(standing, Standing::Honoured(_)));
        of = object(shape).map(str::to_owned);
    }
    let parent = of.as_deref().unwrap_or_default();
    let fields = schema().get(parent).fields.iter();
    let children =
        fields.map(|(name, shape)| one(kind, parent, name, shape, inherited, &described));
    Ok(Explained {
        kind: kind.name(),
        children: children.collect(),
        field,
    })
}

fn one(
    kind: Kind,
    parent: &str,
    name: &str,
    shape: &Shape,
    inherited: Option<Standing>,
    described: &Described,
) -> Field {
    let is_run = matches!(kind, Kind::Pod | Kind::ConfigMap | Kind::Secret);
    let of_table = || standing(parent, name);
    Field {
        name: name.to_owned(),
        type_name: type_name(shape),
        description: described.of_field(parent, name),
        standing: if is_run {
            inherited.or_else(of_table)
        } else {
            None
        },
    }
}

/// A kind by its name, or as kubectl's words for it: `pod`, `pods`, `po`.
fn kind(word: &str) -> Result<Kind, String> {
    const SHORT: [(&str, Kind); 11] = [
        ("po", Kind::Pod),
        ("cm", Kind::ConfigMap),
        ("pvc", Kind::PersistentVolumeClaim),
        ("pv", Kind::PersistentVolume),
        ("deploy", Kind::Deployment),
        ("rs", Kind::ReplicaSet),
        ("sts", Kind::StatefulSet),
        ("ds", Kind::DaemonSet),
        ("cj", Kind::CronJob),
        ("svc", Kind::Service),
        ("job", Kind::Job),
    ];
    let lower = word.to_lowercase();
    let short = SHORT.into_iter().find(|(short, _)| *short == lower);
    let by_name = Kind::ALL.into_iter().find(|kind| {
        let name = kind.name().to_lowercase();
        lower == name || lower.strip_suffix('s') == Some(&name)
    });
    short.map(|(_, kind)| kind).or(by_name).ok_or_else(|| {
        let names: Vec<String> = Kind::ALL
            .iter()
            .map(|kind| kind.name().to_lowercase())
            .collect();
        format!("there is no kind `{word}`; there are {}", names.join(", "))
    })
}

/// The type of the schema that is in a shape.
fn object(shape: &Shape) -> Option<&str> {
    match shape {
        Shape::Object(name) => Some(name),
        Shape::List(of) | Shape::Map(of) => object(of),
        _ => None,
    }
}

fn type_name(shape: &Shape) -> String {
    match shape {
        Shape::Text => "string".to_owned(),
        Shape::Bool => "boolean".to_owned(),
        Shape::Int { .. } => "integer".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Quantity => "Quantity".to_owned(),
        Shape::IntOrText => "IntOrString".to_owned(),
        Shape::Bytes => "base64".to_owned(),
        Shape::Time => "Time".to_owned(),
        Shape::List(of) => format!("[]{}", type_name(of)),
        Shape::Map(of) => format!("map[string]{}", type_name(of)),
        Shape::Object(name) => name.clone(),
        Shape::Any => "Object".to_owned(),
    }
}

/// What Kubernetes says of types and fields.
pub(super) struct Described {
    pub(super) types: BTreeMap<String, String>,
    pub(super) fields: BTreeMap<(String, String), String>,
}

impl Described {
    fn of_type(&self, name: &str) -> String {
        self.types.get(name).cloned().unwrap_or_default()
    }

    fn of_field(&self, of: &str, name: &str) -> String {
        let key = (of.to_owned(), name.to_owned());
        self.fields.get(&key).cloned().unwrap_or_default()
    }
}

/// The whole table for people: every field of a Pod, a ConfigMap, a Secret and all that they hold, type by type.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(
        "# Fields\n\nWhat podctl does with every field of a Pod, a ConfigMap, a Secret and all that they hold. Made from the table in \
         `src/manifest/fields.rs` by a test; `podctl explain` shows the same.\n\n\
         - **honoured**: carried out; the test in `tests/engine` shows it.\n\
         - **no effect**: taken; on one machine it changes nothing. `podctl validate -v` names it.\n\
         - **not yet**: refused by name.\n\
         - **refused**: cannot be carried out; why.\n\
         - **left out**: what a cluster writes into its objects; taken away with a warning.\n",
    );
    let mut left: Vec<(String, Option<Standing>)> = ["Pod", "ConfigMap", "Secret"]
        .map(|kind| (kind.to_owned(), None))
        .to_vec();
    let mut seen = BTreeSet::new();
    while !left.is_empty() {
        let (of, inherited) = left.remove(0);
        if !seen.insert(of.clone()) {
            continue;
        }
        let Type { fields } = schema().get(&of);
        text.push_str(&format!(
            "\n## {of}\n\n| field | type | podctl |\n|---|---|---|\n"
        ));
        for (name, shape) in fields {
            let standing = inherited.or_else(|| standing(&of, name));
            text.push_str(&format!(
                "| `{name}` | `{}` | {} |\n",
                type_name(shape),
                standing.map(says).unwrap_or_default()
            ));
            if let Some(object) = object(shape) {
                let passed_on = standing.filter(|s| !matches!(s, Standing::Honoured(_)));
                // What is honoured somewhere is told there.
                let at = if passed_on.is_none() { 0 } else { left.len() };
                left.insert(at, (object.to_owned(), passed_on));
            }
        }
    }
    text
}

/// In a few words.
#[must_use]
pub fn says(standing: Standing) -> String {
    match standing {
        Standing::Honoured(test) => format!("honoured: `{test}`"),
        Standing::NoEffect => "no effect".to_owned(),
        Standing::NotYet => "not yet".to_owned(),
        Standing::NotYetUnless(values) => {
            let values = values.iter().map(|value| format!("`{value}`"));
            let values: Vec<String> = values.collect();
            format!("not yet, but for {}", values.join(", "))
        }
        Standing::Refused(why) => format!("refused: {why}"),
        Standing::TakenOut => "left out".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_explained_with_its_type_its_standing_and_what_is_in_it() {
        let probe = explain("pod.spec.containers.livenessProbe.httpGet").expect("a field");
        assert_eq!(probe.field.type_name, "HTTPGetAction");
        assert!(matches!(probe.field.standing, Some(Standing::Honoured(_))));
        let source = explain("pod.spec.containers.env.valueFrom.fieldRef").expect("a field");
        assert_eq!(source.field.standing, Some(Standing::NotYet));
        assert!(
            source
                .children
                .iter()
                .all(|child| child.standing == Some(Standing::NotYet))
        );
        let image = explain("po.spec.containers[].image").expect("a field");
        assert!(image.field.description.contains("image"), "{image:?}");
        assert!(matches!(image.field.standing, Some(Standing::Honoured(_))));
        let set = explain("deployments.spec").expect("a field");
        assert!(set.children.iter().any(|child| child.name == "replicas"));
        assert_eq!(set.field.standing, None);
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is_near() {
        let message = explain("pod.spec.containers.imagePullPolcy").expect_err("no field");
        assert_eq!(
            message,
            "`containers` has no field `imagePullPolcy`; did you mean `imagePullPolicy`?"
        );
        assert!(
            explain("pood")
                .expect_err("no kind")
                .contains("pod, configmap")
        );
    }

    /// `UPDATE=1` writes it.
    #[test]
    fn the_document_is_that_of_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/fields.md");
        let made = document();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &made).expect("docs/fields.md");
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == made,
            "docs/fields.md is out of date: UPDATE=1 cargo test --lib document"
        );
    }
}
