//! The shape of the Kubernetes types, from the types themselves, made once per process.
//!
//! Not here: holding a tree against it (`walk`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service,
};
use schemars::SchemaGenerator;
use serde_json::Value;

use super::explain::Described;

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Bool,
    /// An integer of 32 bits, or of 64.
    Int {
        wide: bool,
    },
    Number,
    /// `128Mi`; written as text or as a number.
    Quantity,
    /// A port's number or its name.
    IntOrText,
    /// Base64.
    Bytes,
    /// RFC 3339.
    Time,
    List(Box<Shape>),
    /// Keys that people choose.
    Map(Box<Shape>),
    /// A type of the schema, by its short name.
    Object(String),
    /// Anything at all.
    Any,
}

/// A type. Which fields must be there is not said: the server goes by its rules (`validate`), not by the schema.
#[derive(Debug, Default)]
pub(super) struct Type {
    pub(super) fields: BTreeMap<String, Shape>,
}

/// All types that the kinds reach.
#[derive(Debug)]
pub(super) struct Schema {
    types: BTreeMap<String, Type>,
}

/// The schema, made at the first use.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::generate);
    &SCHEMA
}

impl Schema {
    fn generate() -> Self {
        let types = Self::definitions()
            .iter()
            .filter(|(_, definition)| definition.get("properties").is_some())
            .map(|(name, definition)| (short(name).to_owned(), read_type(definition)))
            .collect();
        Self { types }
    }

    /// As JSON schemas, by their long names.
    fn definitions() -> serde_json::Map<String, Value> {
        let mut generator = SchemaGenerator::default();
        generator.subschema_for::<Pod>();
        generator.subschema_for::<ConfigMap>();
        generator.subschema_for::<Secret>();
        generator.subschema_for::<PersistentVolume>();
        generator.subschema_for::<PersistentVolumeClaim>();
        generator.subschema_for::<Deployment>();
        generator.subschema_for::<ReplicaSet>();
        generator.subschema_for::<StatefulSet>();
        generator.subschema_for::<DaemonSet>();
        generator.subschema_for::<Job>();
        generator.subschema_for::<CronJob>();
        generator.subschema_for::<Service>();
        generator.take_definitions(true)
    }

    /// The type of this short name; one without fields when there is none.
    pub(super) fn get(&self, name: &str) -> &Type {
        static NONE: LazyLock<Type> = LazyLock::new(Type::default);
        self.types.get(name).unwrap_or(&NONE)
    }
}

/// What Kubernetes says of its types and their fields. Only `explain` wants it, and it is the larger part of the schema.
pub(super) fn described() -> Described {
    let mut described = Described {
        types: BTreeMap::new(),
        fields: BTreeMap::new(),
    };
    let text = |value: &Value| value["description"].as_str().unwrap_or_default().to_owned();
    for (name, definition) in &Schema::definitions() {
        let of = short(name).to_owned();
        for (field, schema) in definition["properties"].as_object().into_iter().flatten() {
            described
                .fields
                .insert((of.clone(), field.clone()), text(schema));
        }
        described.types.insert(of, text(definition));
    }
    described
}

/// `io.k8s.api.core.v1.PodSpec` to `PodSpec`; short names are unique among the types of one API version.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn read_type(definition: &Value) -> Type {
    let fields = definition["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.clone(), read_shape(schema)))
        .collect();
    Type { fields }
}

fn read_shape(schema: &Value) -> Shape {
    let reference = schema["$ref"]
        .as_str()
        .or_else(|| schema["allOf"][0]["$ref"].as_str());
    if let Some(reference) = reference {
        return match short(reference.trim_start_matches("#/$defs/")) {
            "Quantity" => Shape::Quantity,
            "IntOrString" => Shape::IntOrText,
            "Time" | "MicroTime" => Shape::Time,
            "FieldsV1" | "RawExtension" | "JSON" => Shape::Any,
            name => Shape::Object(name.to_owned()),
        };
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("byte")) => Shape::Bytes,
        (Some("string"), Some("date-time")) => Shape::Time,
        (Some("string"), _) => Shape::Text,
        (Some("boolean"), _) => Shape::Bool,
        (Some("integer"), format) => Shape::Int {
            wide: format != Some("int32"),
        },
        (Some("number"), _) => Shape::Number,
        (Some("array"), _) => Shape::List(Box::new(read_shape(&schema["items"]))),
        (Some("object"), _) if schema["additionalProperties"].is_object() => {
            Shape::Map(Box::new(read_shape(&schema["additionalProperties"])))
        }
        _ => Shape::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(name: &str, field: &str) -> Shape {
        schema().get(name).fields[field].clone()
    }

    #[test]
    fn the_types_own_schema_is_understood() {
        assert_eq!(shape("Container", "image"), Shape::Text);
        assert_eq!(shape("Container", "tty"), Shape::Bool);
        assert_eq!(
            shape("ContainerPort", "hostPort"),
            Shape::Int { wide: false }
        );
        assert_eq!(
            shape("PodSpec", "terminationGracePeriodSeconds"),
            Shape::Int { wide: true }
        );
        assert_eq!(shape("EmptyDirVolumeSource", "sizeLimit"), Shape::Quantity);
        assert_eq!(shape("HTTPGetAction", "port"), Shape::IntOrText);
        assert_eq!(
            shape("ConfigMap", "data"),
            Shape::Map(Box::new(Shape::Text))
        );
        assert_eq!(
            shape("ConfigMap", "binaryData"),
            Shape::Map(Box::new(Shape::Bytes))
        );
        assert_eq!(shape("ObjectMeta", "creationTimestamp"), Shape::Time);
        assert_eq!(
            shape("PodSpec", "containers"),
            Shape::List(Box::new(Shape::Object("Container".into())))
        );
        assert!(schema().get("Nothing").fields.is_empty());
    }

    #[test]
    fn nothing_but_free_form_fields_is_taken_unread() {
        for (name, of) in &schema().types {
            for (field, shape) in &of.fields {
                let free = field == "fieldsV1";
                assert_eq!(*shape == Shape::Any, free, "{name}.{field}: {shape:?}");
            }
        }
    }
}
