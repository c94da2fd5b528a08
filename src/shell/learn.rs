//! Learning from corrections: once a day a model is trained and held against the rules; the latest is in force while it is
//! the better of the two.
//!
//! **Invariant:** several daemons come to the same: a model is in force by what is stored, not by who trained it.

use crate::pure::decide::learn;
use crate::pure::domain::Timestamp;
use crate::shell::registry::Registry;
use crate::shell::store::triage_model::ModelLine;
use crate::shell::store::{Store, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often it is looked which model is in force.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How often a model is trained, if anything was said since.
const TRAIN_EVERY: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// The loop of one process.
#[derive(Clone)]
pub struct Learn {
    store: Store,
    registry: Arc<Registry>,
}

impl Learn {
    /// A loop over a store.
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self { store, registry }
    }

    /// Works until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let (mut in_force, mut looked) = (BTreeMap::new(), BTreeMap::new());
        while !*stop.borrow() {
            if let Err(error) = self.step(&mut in_force, &mut looked).await {
                tracing::warn!(code = "triage_learning_failed", %error, "corrections could not be learnt from; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Trains what is due, and puts in force what is the latest. What was looked at and was the same is not due either: all
    /// corrections are read for that.
    async fn step(
        &self,
        in_force: &mut BTreeMap<String, i32>,
        looked: &mut BTreeMap<String, Timestamp>,
    ) -> Result<(), StoreError> {
        let latest = self.latest().await?;
        let now = Timestamp::now();
        for tenant in self.registry.tenants.keys() {
            let trained_at = latest.get(tenant).map(|line| line.trained_at);
            let last = trained_at.max(looked.get(tenant).copied());
            if last.is_none_or(|last| now.duration_since(last) >= TRAIN_EVERY) {
                self.train(tenant, latest.get(tenant)).await?;
                looked.insert(tenant.clone(), now);
            }
        }
        self.put_in_force(in_force).await
    }

    /// Puts the latest models in force that are on.
    pub async fn put_in_force(&self, in_force: &mut BTreeMap<String, i32>) -> Result<(), StoreError> {
        let latest = self.latest().await?;
        for (name, tenant) in &self.registry.tenants {
            let version = latest.get(name).filter(|line| line.is_on).map(|line| line.version);
            if in_force.get(name).copied() == version {
                continue;
            }
            let model = match version {
                Some(version) => self.store.model(name, version).await?.map(Arc::new),
                None => None,
            };
            tenant.policy.learnt.put(model);
            match version {
                Some(version) => in_force.insert(name.clone(), version),
                None => in_force.remove(name),
            };
        }
        Ok(())
    }

    /// Trains a firm's model of its corrections, unless they are those of `before`. Without any there is none: what they
    /// taught goes with them.
    pub async fn train(&self, tenant: &str, before: Option<&ModelLine>) -> Result<Option<ModelLine>, StoreError> {
        let Some(policy) = self.registry.tenants.get(tenant).map(|tenant| &tenant.policy) else { return Ok(None) };
        let (corrections, said_at) = self.store.corrections(tenant).await?;
        // One that went, and one that came, make as many.
        let is_same = before.is_some_and(|before| {
            usize::try_from(before.corrections) == Ok(corrections.len())
                && said_at.is_some_and(|at| at < before.trained_at)
        });
        if corrections.is_empty() {
            self.store.forget_models(tenant).await?;
        }
        if corrections.is_empty() || is_same {
            return Ok(None);
        }
        let lexicon = policy.lexicon.clone();
        let trained = tokio::task::spawn_blocking(move || learn::train(&corrections, &lexicon)).await;
        let Ok(trained) = trained else { return Ok(None) };
        let line = self.store.put_model(tenant, &trained, Timestamp::now()).await?;
        tracing::info!(
            tenant,
            version = line.version,
            corrections = line.corrections,
            rules_f1 = line.rules_f1,
            model_f1 = line.model_f1,
            is_on = line.is_on,
            "learnt from corrections"
        );
        Ok(Some(line))
    }

    async fn latest(&self) -> Result<BTreeMap<String, ModelLine>, StoreError> {
        let mut latest = BTreeMap::new();
        for line in self.store.models().await? {
            latest.entry(line.tenant.clone()).or_insert(line);
        }
        Ok(latest)
    }
}
