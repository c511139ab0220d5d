//! The tables that rows are loaded into: columns, types, and names that each warehouse takes.

use definition::{Catalogue, Definition, TableType, TypeBasis, Warehouse};
use serde_json::{Value, json};

use crate::{check_codes, good, lines};

fn columns_of(value: &Value) -> Vec<String> {
    let definition = Definition::from_value(value).unwrap().definition;
    let columns = definition.table_columns(Catalogue::builtin());
    let described = columns.into_iter().map(|column| {
        let kind = match column.column_type {
            TableType::Value(kind) => kind.as_str(),
            TableType::Json => "json",
        };
        let basis = match column.basis {
            TypeBasis::Declared => " declared",
            TypeBasis::Assumed => "",
            TypeBasis::Unknown => " unknown",
            TypeBasis::Own => " own",
        };
        let unit = column.unit.map_or_else(String::new, |it| format!(" {it}"));
        let required = if column.is_required { " required" } else { "" };
        format!("{} {kind}{unit}{basis}{required}", column.name)
    });
    described.collect()
}

const OWN: [&str; 5] = [
    "_extra json own",
    "_window_start timestamp own required",
    "_window_end timestamp own required",
    "_version long own required",
    "_loaded_at timestamp own required",
];

#[test]
fn the_columns_of_a_table_are_in_the_reports_order_with_the_types_that_are_known() {
    let mut value = good();
    value["pipeline"]["declare"] = json!({
        "metrics": { "handleTime": { "type": "long", "unit": "ms" } },
        "dimensions": { "queueId": { "type": "long" } },
    });
    let columns = columns_of(&value);
    assert_eq!(columns[0], "agentId string");
    assert!(
        columns.contains(&"queueId long declared".to_owned()),
        "{columns:?}"
    );
    assert!(columns.contains(&"handleTime long ms declared".to_owned()));
    assert_eq!(columns[columns.len() - 5..], OWN);
    value["pipeline"]["columnNames"] = json!("snake");
    assert_eq!(columns_of(&value)[0], "agent_id string");
}

#[test]
fn columns_of_the_published_apis_are_texts_unless_somebody_says_more() {
    let download = include_str!("../../../local/definitions/data-download.json");
    let mut value: Value = serde_json::from_str(download).unwrap();
    let plain = Definition::from_value(&value).unwrap().definition.hash();
    assert_eq!(columns_of(&value)[0], "Contact ID string unknown");
    value["report"]["columns"][0] = json!({ "name": "Contact ID", "type": "long" });
    value["report"]["columns"][4] = json!({
        "name": "Handle Time", "type": "double", "unit": "s", "description": "Talk and wrap-up."
    });
    assert_eq!(lines(value.to_string()), "");
    let columns = columns_of(&value);
    assert_eq!(columns[0], "Contact ID long declared");
    assert_eq!(columns[4], "Handle Time double s declared");
    let definition = Definition::from_value(&value).unwrap().definition;
    let again: Definition = serde_json::from_slice(&definition.canonical_json()).unwrap();
    assert_eq!(again, definition);
    assert_ne!(definition.hash(), plain);
    // A name alone is what it was before there were types.
    for column in value["report"]["columns"].as_array_mut().unwrap() {
        if column.is_object() {
            *column = column["name"].take();
        }
    }
    let untyped = Definition::from_value(&value).unwrap().definition;
    assert_eq!(untyped.hash(), plain);
    value["pipeline"]["declare"] = json!({ "dimensions": { "Agent Name": { "type": "string" } } });
    assert_eq!(columns_of(&value)[1], "Agent Name string declared");

    let extraction = include_str!("../../../local/definitions/data-extraction.json");
    let value: Value = serde_json::from_str(extraction).unwrap();
    let unnamed = columns_of(&value);
    let key = value["pipeline"]["key"].as_array().unwrap();
    assert_eq!(unnamed.len(), key.len() + OWN.len());

    let contacts = include_str!("../../../local/definitions/contacts.json");
    let mut value: Value = serde_json::from_str(contacts).unwrap();
    value["report"].as_object_mut().unwrap().remove("columns");
    let known = columns_of(&value);
    for column in [
        "contactId long",
        "contactStart timestamp",
        "acwSeconds double s",
    ] {
        assert!(known.contains(&column.to_owned()), "{column}: {known:?}");
    }
    for warehouse in Warehouse::ALL {
        let definition = Definition::from_value(&value).unwrap().definition;
        let table = definition.create_table(*warehouse, Catalogue::builtin(), None);
        assert!(table.is_ok(), "{warehouse}: {table:?}");
    }
}

#[test]
fn what_is_said_of_columns_and_targets_has_its_code() {
    let declare = |column: Value| json!({ "metrics": { "nps": column } });
    check_codes(&[
        (
            "CXD005",
            "/pipeline/target",
            "/pipeline/target",
            json!("oracle"),
        ),
        (
            "CXD005",
            "/pipeline/declare/metrics/nps/unit",
            "/pipeline/declare",
            declare(json!({ "type": "long", "unit": "" })),
        ),
        (
            "CXD005",
            "/pipeline/declare/metrics/nps/description",
            "/pipeline/declare",
            declare(json!({ "type": "long", "description": "two\nlines" })),
        ),
    ]);
    let mut value = good();
    value["pipeline"]["target"] = json!("bigquery");
    assert_eq!(lines(value.to_string()), "");
    value["pipeline"]["compression"] = json!("zstd");
    let said = lines(value.to_string());
    assert!(
        said.starts_with("error[CXD078] at /pipeline/compression: bigquery does not load zstd"),
        "{said}"
    );
    value["pipeline"]["target"] = json!("snowflake");
    assert_eq!(lines(value.to_string()), "");
}

#[test]
fn a_typed_column_of_a_report_is_checked_field_by_field() {
    let download = include_str!("../../../local/definitions/data-download.json");
    for (column, code, at) in [
        (
            json!({ "name": "Hold Time" }),
            "CXD004",
            "/report/columns/5/type",
        ),
        (json!({ "type": "long" }), "CXD052", "/report/columns/5"),
        (
            json!({ "name": "Hold Time", "type": "number" }),
            "CXD005",
            "/report/columns/5/type",
        ),
        (
            json!({ "name": "Hold Time", "kind": "long" }),
            "CXD003",
            "/report/columns/5/kind",
        ),
        (
            json!({ "name": "Hold Time", "type": 5 }),
            "CXD005",
            "/report/columns/5/type",
        ),
        (json!(5), "CXD005", "/report/columns/5"),
        (
            json!({ "name": "Contact ID", "type": "long" }),
            "CXD033",
            "/report/columns/5",
        ),
    ] {
        let mut value: Value = serde_json::from_str(download).unwrap();
        value["report"]["columns"][5] = column;
        let said = lines(value.to_string());
        assert!(said.contains(&format!("error[{code}] at {at}: ")), "{said}");
    }
    let mut value: Value = serde_json::from_str(download).unwrap();
    value["report"]["columns"][5] = json!({ "name": "Hold Time", "type": "long" });
    value["pipeline"]["declare"] = json!({ "metrics": { "Hold Time": { "type": "double" } } });
    let said = lines(value.to_string());
    assert!(
        said.contains("error[CXD066] at /report/columns/5: "),
        "{said}"
    );
}

/// What each warehouse makes of a name, in its quotes.
#[test]
fn names_are_safe_in_each_warehouse() {
    use Warehouse::{Athena, BigQuery, DuckDb, Postgres, Redshift, Snowflake, Spark};
    let long = "a".repeat(70);
    let cut = format!("{}_", "a".repeat(54));
    for (warehouse, name, safe) in [
        (Snowflake, "agentId", "\"AGENTID\""),
        (Snowflake, "Contact ID", "\"Contact ID\""),
        (Snowflake, "say \"hi\"", "\"say \"\"hi\"\"\""),
        (Redshift, "agentId", "\"agentid\""),
        (Redshift, "Occupancy %", "\"occupancy _\""),
        (Redshift, "oid", "\"column_oid\""),
        (BigQuery, "agentId", "`agentId`"),
        (BigQuery, "Contact ID", "`Contact_ID`"),
        (BigQuery, "2nd try", "`_2nd_try`"),
        (BigQuery, "Größe", "`Gr__e`"),
        (BigQuery, "_PARTITIONTIME", "`column__PARTITIONTIME`"),
        (Athena, "Contact ID", "`contact_id`"),
        (Postgres, "agentId", "\"agentid\""),
        (Postgres, "Contact ID", "\"Contact ID\""),
        (Postgres, "select", "\"select\""),
        (Postgres, "XMIN", "\"column_xmin\""),
        (DuckDb, "agentId", "\"agentId\""),
        (Spark, "Contact ID", "`Contact_ID`"),
        (Spark, "a`b", "`a``b`"),
    ] {
        assert_eq!(
            warehouse.quote_name(&warehouse.name_column(name)),
            safe,
            "{warehouse} {name}"
        );
    }
    let shortened = Postgres.name_column(&long);
    assert!(
        shortened.starts_with(&cut) && shortened.len() == 63,
        "{shortened}"
    );
    assert_ne!(shortened, Postgres.name_column(&format!("{long}b")));
    assert_eq!(Redshift.name_column(&long), long);
    // 63 bytes would cut a letter in two.
    assert!(Postgres.name_column(&"é".repeat(40)).len() <= 63);
}

/// Which warehouses have no room for two names beside each other.
#[test]
fn names_that_a_warehouse_takes_for_one_are_a_finding() {
    let download = include_str!("../../../local/definitions/data-download.json");
    for (one, other, refusing) in [
        (
            "Name",
            "name",
            "snowflake redshift bigquery athena postgres duckdb spark",
        ),
        ("Name!", "name!", "redshift bigquery athena duckdb spark"),
        ("Hold Time", "Hold_Time", "bigquery athena spark"),
        ("Rate %", "Rate _", "redshift bigquery athena"),
        (
            "Other",
            "_VERSION",
            "snowflake redshift bigquery athena postgres duckdb spark",
        ),
        ("Other", "_loaded at", "bigquery athena spark"),
        ("xmin", "column_xmin", "redshift postgres"),
    ] {
        let mut value: Value = serde_json::from_str(download).unwrap();
        value["report"]["columns"] = json!([one, other]);
        value["pipeline"]["key"] = json!([one]);
        let definition = Definition::from_value(&value).unwrap().definition;
        let mut refused = Vec::new();
        for warehouse in Warehouse::ALL {
            let table = definition.create_table(*warehouse, Catalogue::builtin(), None);
            value["pipeline"]["target"] = json!(warehouse.as_str());
            let said = lines(value.to_string());
            assert_eq!(said.contains("error[CXD079]"), table.is_err(), "{said}");
            if table.is_err() {
                refused.push(warehouse.as_str());
            }
        }
        assert_eq!(refused.join(" "), refusing, "{one} {other}");
    }
}

#[test]
fn a_table_is_called_as_the_report_or_as_somebody_says() {
    let definition = Definition::from_value(&good()).unwrap().definition;
    for (warehouse, name, table) in [
        (
            Warehouse::Snowflake,
            Some("analytics.daily"),
            Some("\"ANALYTICS\".\"DAILY\""),
        ),
        (
            Warehouse::BigQuery,
            Some("my-project.cxone.daily"),
            Some("`my-project`.`cxone`.`daily`"),
        ),
        (Warehouse::BigQuery, Some("my-table"), Some("`my_table`")),
        (
            Warehouse::Postgres,
            Some("a\"; drop table x; --"),
            Some("\"a\"\"; drop table x; --\""),
        ),
        (Warehouse::Postgres, Some(""), None),
        (Warehouse::Postgres, Some("a..b"), None),
        (Warehouse::Postgres, Some("a.b.c.d"), None),
    ] {
        let made = definition.create_table(warehouse, Catalogue::builtin(), name);
        assert_eq!(made.ok().map(|it| it.table).as_deref(), table, "{name:?}");
    }
}

/// A description is a text of the language, whatever it says.
#[test]
fn descriptions_can_not_end_the_text_that_they_are_in() {
    use Warehouse::{Athena, BigQuery, DuckDb, Postgres, Redshift, Snowflake, Spark};
    for (warehouse, constant) in [
        (Snowflake, r"'it''s \\'"),
        (Redshift, r"'it''s \\'"),
        (BigQuery, r"'it\'s \\'"),
        (Athena, r"'it\'s \\'"),
        (Postgres, r"'it''s \'"),
        (DuckDb, r"'it''s \'"),
        (Spark, r"'it\'s \\'"),
    ] {
        assert_eq!(warehouse.quote_text(r"it's \"), constant, "{warehouse}");
    }
}
