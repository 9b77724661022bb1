//! What every store of leases must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::engine::ports::{LeaseError, LeaseRecord, LeaseStore};

pass_on! { LeaseStore:
    load(since: i64) -> Result<Vec<LeaseRecord>, LeaseError>;
    put(leases: Vec<LeaseRecord>) -> Result<(), LeaseError>;
}

impl Either {
    fn leases(&self) -> Box<dyn LeaseStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.leases()),
        }
    }
}

fn lease(budget: &str, holder: &str, window: i64, pico: u64) -> LeaseRecord {
    LeaseRecord { budget: budget.into(), holder: holder.into(), window, leased: Usd::from_pico(pico) }
}

#[tokio::test]
async fn a_lease_takes_the_place_of_the_earlier_one_and_old_windows_are_forgotten() {
    for store in Either::each().await {
        let leases = store.leases();
        leases
            .put(vec![lease("a", "", 5, 100), lease("a", "key_1", 5, 1), lease("b", "", 9, 7)])
            .await
            .unwrap();
        leases.put(vec![lease("a", "", 6, 50)]).await.unwrap();
        leases.put(vec![lease("a", "key_1", 5, 0)]).await.unwrap();
        let all = [lease("a", "", 6, 50), lease("a", "key_1", 5, 0), lease("b", "", 9, 7)];
        assert_eq!(leases.load(0).await.unwrap(), all);
        assert_eq!(leases.load(6).await.unwrap(), [lease("a", "", 6, 50), lease("b", "", 9, 7)]);
        assert_eq!(leases.load(0).await.unwrap().len(), 2, "the old one was deleted");
    }
}
