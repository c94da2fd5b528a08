//! Domains where anybody can have an address: free mail and access providers.
//!
//! Two people at one of these have nothing in common, so the domain never makes them one firm. The
//! list errs on the long side: a provider's own staff writing from its customers' domain lose a hint,
//! while a missing entry could join strangers. `[identity] public_domains` adds to it, and takes away
//! with `!` (a provider that runs lanka itself).
//!
//! **Invariant:** lower case, ASCII (IDNA), one entry once, sorted within its group.

/// World-wide free mail, aliases and relays.
const INTERNATIONAL: &str = "\
    126.com 139.com 163.com 189.cn 21cn.com aim.com aliyun.com aol.com disroot.org duck.com email.com fastmail.com \
    fastmail.fm foxmail.com gmail.com googlemail.com hey.com hotmail.com hushmail.com icloud.com inbox.com \
    lavabit.com live.com mac.com mail.com mailbox.org mailfence.com me.com mozmail.com msn.com myyahoo.com \
    outlook.com passmail.net pm.me posteo.net posteo.org privaterelay.appleid.com proton.me protonmail.ch \
    protonmail.com qq.com rediffmail.com riseup.net rocketmail.com runbox.com runbox.no sapo.pt sina.com sohu.com \
    startmail.com tuta.com tuta.io tutamail.com tutanota.com usa.net windowslive.com yahoo.com yeah.net ymail.com \
    zoho.com zohomail.com zohomail.eu";

/// National domains of the world-wide providers.
const NATIONAL_VARIANTS: &str = "\
    aol.co.uk aol.de aol.fr aol.it hotmail.at hotmail.be hotmail.ch hotmail.co.uk hotmail.de hotmail.dk hotmail.es \
    hotmail.fi hotmail.fr hotmail.it hotmail.nl hotmail.no hotmail.se live.at live.be live.ca live.co.uk \
    live.com.au live.de live.dk live.fi live.fr live.it live.nl live.no live.se outlook.at outlook.be outlook.co \
    outlook.de outlook.dk outlook.es outlook.fi outlook.fr outlook.ie outlook.it outlook.pt outlook.se yahoo.at \
    yahoo.be yahoo.ca yahoo.ch yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com.ar yahoo.com.au yahoo.com.br \
    yahoo.com.mx yahoo.com.tr yahoo.de yahoo.dk yahoo.es yahoo.fi yahoo.fr yahoo.gr yahoo.ie yahoo.in yahoo.it \
    yahoo.nl yahoo.no yahoo.pl yahoo.ro yahoo.se zoho.eu";

/// Finland.
const FINLAND: &str = "\
    aina.net anvianet.fi dnainternet.fi dnainternet.net elisanet.fi iki.fi inet.fi jippii.fi kolumbus.fi \
    kotiposti.net kymen.net kymp.net luukku.com luukku.fi mailsuomi.com mbnet.fi mbnet.net netikka.fi netti.fi \
    nettilinja.fi nic.fi phnet.fi phpoint.net pp.inet.fi pp.kpnet.fi pp.nic.fi pp.phnet.fi pp1.inet.fi pp2.inet.fi \
    saunalahti.fi sci.fi seutuposti.fi sunpoint.net suomi24.net surffi.fi surffi.net welho.com wippies.com \
    wippies.fi";

/// Sweden.
const SWEDEN: &str = "\
    bahnhof.se bredband.net bredband2.com brevet.nu comhem.se glocalnet.net hem.utfors.se home.se passagen.se \
    spray.se swipnet.se tele2.se telia.com tiscali.se tyfon.se utfors.se";

/// Estonia, Latvia and Lithuania.
const BALTICS: &str = "\
    apollo.lv e-apollo.lv estpak.ee hot.ee hotmail.ee inbox.lt inbox.lv mail.ee neti.ee one.ee one.lv online.ee \
    starman.ee suhtlus.ee takas.lt uninet.ee zebra.lt zzz.ee";

/// Norway, Denmark and Iceland.
const NORDIC: &str = "\
    broadpark.no c2i.net email.dk frisurf.no getmail.no jubii.dk lyse.net mail.dk mail.tele.dk mailme.dk \
    mobilpost.no ofir.dk online.no post.tele.dk privat.dk simnet.is sol.dk sol.no stofanet.dk tdcadsl.dk tele2.no \
    vip.cybercity.dk webspeed.dk youmail.dk";

/// Germany, Austria and Switzerland.
const GERMAN: &str = "\
    a1.net aon.at arcor.de bluemail.ch bluewin.ch chello.at email.de ewetel.net freenet.de gmx.at gmx.ch gmx.com \
    gmx.de gmx.eu gmx.info gmx.net gmx.org googlemail.de hispeed.ch htp-tel.de inode.at kabelbw.de kabelmail.de \
    liwest.at lycos.de magenta.de mail.de mnet-mail.de mnet-online.de netcologne.de o2mail.de o2online.de \
    online.de osnanet.de posteo.de quickline.ch smart-mail.de sunrise.ch swissonline.ch t-online.de tiscali.de \
    unitybox.de utanet.at versanet.de vodafone.de vodafonemail.de vr-web.de web.de";

/// The rest of Europe.
const EUROPE: &str = "\
    abv.bg alice.it blueyonder.co.uk btinternet.com btopenworld.com centrum.cz chello.nl dir.bg eircom.net \
    email.cz free.fr freemail.hu freeserve.co.uk gazeta.pl gmx.co.uk gmx.fr hetnet.nl home.nl indamail.hu \
    interia.pl kpnmail.nl kpnplanet.nl laposte.net libero.it neuf.fr ntlworld.com numericable.fr o2.co.uk o2.pl \
    onet.eu onet.pl op.pl orange.fr planet.nl post.cz quicknet.nl scarlet.be seznam.cz sfr.fr sky.com skynet.be \
    talktalk.net telefonica.net telenet.be telfort.nl terra.es tin.it tiscali.co.uk tiscali.it tlen.pl upcmail.nl \
    virgilio.it virgin.net virginmedia.com voila.fr wanadoo.fr wanadoo.nl wp.pl xs4all.nl ziggo.nl zonnet.nl";

/// Russia and Ukraine.
const RUSSIAN: &str = "\
    bk.ru i.ua inbox.ru list.ru mail.ru mail.ua meta.ua narod.ru rambler.ru ro.ru ukr.net ya.ru yandex.by \
    yandex.com yandex.ee yandex.kz yandex.ru yandex.ua";

/// Access providers and free mail beyond Europe.
const OVERSEAS: &str = "\
    att.net bellsouth.net bigpond.com bigpond.net.au bol.com.br charter.net comcast.net cox.net daum.net \
    docomo.ne.jp earthlink.net ezweb.ne.jp frontier.com hanmail.net juno.com nate.com naver.com optonline.net \
    optusnet.com.au roadrunner.com rogers.com sbcglobal.net shaw.ca softbank.ne.jp sympatico.ca telus.net \
    uol.com.br verizon.net walla.co.il walla.com windstream.net xtra.co.nz";

/// Throw-away mailboxes that anybody can read.
const DISPOSABLE: &str = "\
    10minutemail.com dispostable.com getnada.com guerrillamail.com maildrop.cc mailinator.com mailnesia.com \
    mintemail.com sharklasers.com temp-mail.org tempmail.com throwawaymail.com trashmail.com trashmail.de \
    yopmail.com yopmail.fr";

/// Every entry of the list.
pub fn built_in() -> impl Iterator<Item = &'static str> {
    [INTERNATIONAL, NATIONAL_VARIANTS, FINLAND, SWEDEN, BALTICS, NORDIC, GERMAN, EUROPE, RUSSIAN, OVERSEAS, DISPOSABLE]
        .into_iter()
        .flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::domain::identity::EmailAddress;
    use std::collections::HashSet;

    #[test]
    fn every_entry_is_a_domain_in_normal_form_and_there_once() {
        let mut seen = HashSet::new();
        for domain in built_in() {
            let address = EmailAddress::parse(&format!("x@{domain}")).unwrap();
            assert_eq!(address.domain(), domain);
            assert!(seen.insert(domain), "{domain} twice");
        }
        assert!(seen.len() > 300);
    }

    #[test]
    fn the_providers_customers_use_are_on_it() {
        let list: HashSet<&str> = built_in().collect();
        for domain in
            ["gmail.com", "kolumbus.fi", "saunalahti.fi", "telia.com", "hot.ee", "gmx.de", "t-online.de", "icloud.com"]
        {
            assert!(list.contains(domain), "{domain}");
        }
    }
}
