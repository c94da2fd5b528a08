//! What agents gave lanka to carry, or to show to colleagues.

use super::*;
use crate::pure::domain::outbox::LinkedKind;

impl<'a> Writer<'a> {
    /// Where answers go, why some go nowhere, and what is called how in the tool it was written in.
    pub(super) async fn answers(&mut self) -> Result<(), StoreError> {
        let given: Vec<(&Decided, &Answer)> =
            self.firsts().into_iter().filter_map(|d| Some((d, d.message.incoming.answer.as_deref()?))).collect();
        if given.is_empty() {
            return Ok(());
        }
        let routed: Vec<(Uuid, &Route)> = given
            .iter()
            .filter(|(d, _)| !d.quiet)
            .filter_map(|(d, answer)| Some((d.decision.message.0, answer.route.as_ref()?.as_ref().ok()?)))
            .collect();
        sqlx::query(
            "INSERT INTO answer (tenant, message_id, channel, identity_id, answers, template, at)
             SELECT $1, t.*, $7 FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::jsonb[]) AS t",
        )
        .bind(self.tenant)
        .bind(column(&routed, |(message, _)| *message))
        .bind(column(&routed, |(_, route)| route.channel.as_str()))
        .bind(column(&routed, |(_, route)| route.identity.0))
        .bind(column(&routed, |(_, route)| route.answers.0))
        .bind(column(&routed, |(_, route)| route.template.as_ref().and_then(|t| serde_json::to_value(t).ok())))
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        let stuck: Vec<(Uuid, Obstacle)> = given
            .iter()
            .filter_map(|(d, answer)| Some((d.decision.message.0, *answer.route.as_ref()?.as_ref().err()?)))
            .collect();
        sqlx::query(
            "UPDATE message m SET progress = $3, progress_why = t.why FROM unnest($1::uuid[], $2::text[]) AS t(id, why) WHERE m.id = t.id",
        )
        .bind(column(&stuck, |(message, _)| *message))
        .bind(column(&stuck, |(_, obstacle)| obstacle.says()))
        .bind(Progress::Failed.as_str())
        .execute(&mut *self.connection)
        .await?;
        let links: Vec<(&str, Uuid, &str)> = given
            .iter()
            .filter_map(|(d, answer)| {
                let given_in = answer.given_in.as_ref()?;
                Some((given_in.mirror.as_str(), d.decision.message.0, given_in.remote.as_deref()?))
            })
            .collect();
        sqlx::query(
            "INSERT INTO link (mirror, object_kind, object, remote_id, at)
             SELECT t.mirror, $4, t.object, t.remote, $5 FROM unnest($1::text[], $2::uuid[], $3::text[]) AS t(mirror, object, remote)
             ON CONFLICT DO NOTHING",
        )
        .bind(column(&links, |(mirror, ..)| *mirror))
        .bind(column(&links, |(_, object, _)| *object))
        .bind(column(&links, |(.., remote)| *remote))
        .bind(LinkedKind::Message.as_str())
        .bind(sql_time(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }
}
