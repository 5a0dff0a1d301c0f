//! What somebody who holds the database but not the server's secret could do to the log.

use super::super::SqlStore;
use crate::store::Safety;
use crate::store::safety::{AuditKey, Hand, Tampered, check_audit};

async fn log(folder: &std::path::Path, name: &str) -> SqlStore {
    let store = SqlStore::open_file(&folder.join(name)).await.unwrap();
    let key = AuditKey::of(&[5; 32]);
    for number in 0..5 {
        store.note("looked", &format!("report {number}"), Hand { actor: "mod", at: number, key: &key }).await.unwrap();
    }
    store
}

#[tokio::test]
async fn every_way_to_change_the_log_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = AuditKey::of(&[5; 32]);
    let cases: [(&[&'static str], Result<i64, Tampered>); 8] = [
        (&[], Ok(5)),
        (&["UPDATE audit SET detail = 'x' WHERE seq = 3"], Err(Tampered::Changed(3))),
        (&["UPDATE audit SET actor = 'somebody' WHERE seq = 1"], Err(Tampered::Changed(1))),
        (&["UPDATE audit SET at = at + 1 WHERE seq = 5"], Err(Tampered::Changed(5))),
        (&["DELETE FROM audit WHERE seq = 2"], Err(Tampered::Missing(2))),
        (&["DELETE FROM audit WHERE seq = 2", "UPDATE audit SET seq = seq - 1 WHERE seq > 2"], Err(Tampered::Changed(2))),
        (&["DELETE FROM audit WHERE seq = 5"], Err(Tampered::CutShort(4))),
        (
            &["DELETE FROM audit WHERE seq = 5", "UPDATE audit_head SET seq = 4, mac = 'guess' WHERE id = 1"],
            Err(Tampered::CutShort(4)),
        ),
    ];
    for (number, (statements, expected)) in cases.into_iter().enumerate() {
        let store = log(folder.path(), &format!("{number}.db")).await;
        for statement in statements {
            sqlx::query(*statement).execute(&store.pool).await.unwrap();
        }
        assert_eq!(check_audit(&store, &key).await.unwrap(), expected, "{statements:?}");
        store.pool.close().await;
    }
}
