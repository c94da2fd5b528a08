//! What all that works on deliveries and answers needs of the configuration: channels, and firms with their policies.

use crate::pure::channels::Channel;
use crate::pure::decide::lookup::Keyer;
use crate::pure::domain::answer::Way;
use crate::pure::domain::dust::DustLimits;
use crate::pure::domain::incident::IncidentWords;
use crate::pure::domain::message::Sender;
use crate::pure::domain::policy::Policy;
use crate::pure::domain::service::Service;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What deciding needs of the configuration.
#[derive(Clone, Default)]
pub struct Registry {
    /// Channels by name.
    pub channels: HashMap<String, Arc<dyn Channel>>,
    /// Policies by tenant.
    pub tenants: HashMap<String, Arc<Tenant>>,
    /// Names that imported history came with.
    pub profiles: Option<Arc<Profiles>>,
}

impl Registry {
    /// How a firm's channel can be answered; `None` where it cannot, or is another's.
    pub fn way(&self, tenant: &str, channel: &str) -> Option<Way> {
        let is_its = self.tenants.get(tenant).is_some_and(|tenant| tenant.channels.contains(channel));
        let way = self.channels.get(channel).filter(|_| is_its)?.answers()?.way();
        let max = self.tenants.get(tenant).map(|tenant| tenant.policy.automatic_max);
        // Programs that answer each other do so by mail.
        Some(Way { automatic_max: max.filter(|_| way.id_domain.is_some()), ..way })
    }

    /// The same with names of profiles.
    pub fn with_profiles(&self, profiles: Profiles) -> Self {
        Self { profiles: Some(Arc::new(profiles)), ..self.clone() }
    }
}

/// Names by the id they belong to, as a vendor's profile API gives them.
pub struct Profiles {
    /// The scheme of the ids.
    pub scheme: &'static str,
    /// Names by id.
    pub names: HashMap<String, String>,
}

impl Profiles {
    /// Names whom the delivery itself does not name.
    pub(super) fn complete(&self, sender: &mut Sender) {
        if sender.name.is_none() {
            let mut ids =
                sender.identities.iter().map(|own| &own.identity).filter(|identity| identity.scheme == self.scheme);
            sender.name = ids.find_map(|identity| self.names.get(&identity.value)).cloned();
        }
    }
}

/// One firm's policy, with its look-up keys.
pub struct Tenant {
    /// The policy.
    pub policy: Policy,
    /// Makes its look-up keys.
    pub keyer: Keyer,
    /// Service hours, and what is promised to whom.
    pub service: Arc<Service>,
    /// From when on what stands gathers dust.
    pub dust: DustLimits,
    /// Words that stand for one thing, for what many speak of and what recurs.
    pub words: Arc<IncidentWords>,
    /// Its channels that are in use.
    pub channels: HashSet<String>,
}
