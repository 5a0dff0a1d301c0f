//! The list of what is held against the tables that there are.

use super::super::SqlStore;
use crate::store::keeping::{HELD, NOT_HELD};
use sqlx::{AssertSqlSafe, Row};
use std::collections::BTreeSet;

async fn tables(store: &SqlStore) -> Vec<(String, BTreeSet<String>)> {
    let rows =
        sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetch_all(&store.pool).await.unwrap();
    let mut tables = Vec::new();
    for row in rows {
        let table: String = row.get("name");
        let columns =
            sqlx::query(AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}')"))).fetch_all(&store.pool).await;
        let columns = columns.unwrap().iter().map(|row| row.get("name")).collect();
        tables.push((table, columns));
    }
    tables
}

#[tokio::test]
async fn every_table_and_column_is_thought_of() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqlStore::open_file(&folder.path().join("s.db")).await.unwrap();
    let tables = tables(&store).await;
    assert!(tables.len() > 10);
    for (table, columns) in &tables {
        let held = HELD.iter().find(|held| held.table == table);
        let not_held = NOT_HELD.iter().any(|(name, _)| name == table);
        assert!(held.is_some() != not_held, "{table}: say in store/keeping.rs what of it is about whom, or why nothing is");
        let Some(held) = held else { continue };
        let named = [held.of, held.texts, held.numbers, held.withheld].into_iter().flatten();
        let named: BTreeSet<String> = named.map(|column| (*column).to_owned()).collect();
        assert_eq!(&named, columns, "the columns of {table}");
    }
    for name in HELD.iter().map(|held| held.table).chain(NOT_HELD.iter().map(|(name, _)| *name)) {
        assert!(tables.iter().any(|(table, _)| table == name), "{name} is not there any more");
    }
    store.pool.close().await;
}
