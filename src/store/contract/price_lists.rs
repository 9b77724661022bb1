//! What every store of fetched lists must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::ops::ports::{FetchedList, PriceListError, PriceListStore};

type Done<T> = Result<T, PriceListError>;

pass_on! { PriceListStore:
    put(list: FetchedList) -> Done<()>;
    fetched_from(url: String) -> Done<Option<FetchedList>>;
}

impl Either {
    fn price_lists(&self) -> Box<dyn PriceListStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.price_lists()),
        }
    }
}

#[tokio::test]
async fn the_last_list_is_kept_and_no_other() {
    let list = |url: &str, at| FetchedList { url: url.to_owned(), fetched_at: at, body: vec![0xff, 7] };
    for either in Either::each().await {
        let store = either.price_lists();
        assert_eq!(store.fetched_from("a".into()).await.unwrap(), None);
        for (url, at) in [("a", 1), ("a", 2), ("b", 3)] {
            store.put(list(url, at)).await.unwrap();
            assert_eq!(store.fetched_from(url.into()).await.unwrap(), Some(list(url, at)));
        }
        assert_eq!(store.fetched_from("a".into()).await.unwrap(), None);
    }
}
