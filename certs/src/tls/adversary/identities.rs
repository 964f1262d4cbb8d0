//! False, borrowed, outdated and misshapen identities; and that true ones are proven.
#![expect(
    clippy::unwrap_used,
    reason = "a failed unwrap fails the test that it stands in"
)]

use super::*;

#[tokio::test]
async fn both_sides_prove_themselves_and_see_the_same_words() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let (address, served) = serve(&river.party, TlsLimits::default()).await;
    let connection = dial(&north.party, address, &river.expected()).await;
    let connection = connection.unwrap();
    let words = connection.peer.words();
    assert_eq!(connection.peer.org(), "river-pay");
    assert_eq!(connection.peer.node(), "node-1");
    assert_eq!(connection.peer.root(), river.root.fingerprint());
    assert_eq!(connection.peer.root_key(), river.root.public_key());
    drop(connection);
    let seen = timeout(DEADLINE, served).await.unwrap().unwrap();
    assert_eq!(seen.org(), "north-bank");
    assert_eq!(seen.root(), north.root.fingerprint());
    assert_eq!(seen.words(), words);
    river.expected().check(&seen).unwrap_err();
    north.expected().check(&seen).unwrap();
}

#[tokio::test]
async fn words_differ_when_somebody_sits_between() {
    let (north, river, mallory) = (org("north-bank"), org("river-pay"), org("mallory"));
    // Both were given Mallory's root instead of each other's.
    let (at_river, river_served) = serve(&river.party, TlsLimits::default()).await;
    let (at_mallory, mallory_served) = serve(&mallory.party, TlsLimits::default()).await;
    let at_north = dial(&north.party, at_mallory, &mallory.expected()).await;
    let to_river = dial(&mallory.party, at_river, &river.expected()).await;
    let north_sees = at_north.unwrap().peer.words();
    drop(to_river);
    let river_sees = timeout(DEADLINE, river_served).await.unwrap().unwrap();
    assert_ne!(north_sees, river_sees.words());
    timeout(DEADLINE, mallory_served).await.unwrap().unwrap();
}

#[tokio::test]
async fn words_differ_between_two_connections_of_the_same_two() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let mut seen = Vec::new();
    for _ in 0..2 {
        let (address, _served) = serve(&river.party, TlsLimits::default()).await;
        let connection = dial(&north.party, address, &river.expected()).await;
        seen.push(connection.unwrap().peer.words());
    }
    assert_ne!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_foreign_root_is_refused_by_the_client() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let impostor = org("river-pay");
    let (address, served) = serve(&impostor.party, TlsLimits::default()).await;
    let result = dial(&north.party, address, &river.expected()).await;
    served.abort();
    let Err(ConnectError::WrongRoot { expected, got, .. }) = result else {
        unreachable!("{result:?}")
    };
    assert_eq!(expected, river.root.fingerprint());
    assert_eq!(got, impostor.root.fingerprint());
}

#[tokio::test]
async fn the_right_root_under_another_name_is_refused() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let (address, served) = serve(&river.party, TlsLimits::default()).await;
    let mut expected = river.expected();
    "harbour-bank".clone_into(&mut expected.org);
    let result = dial(&north.party, address, &expected).await;
    served.abort();
    assert!(matches!(result, Err(ConnectError::WrongOrg { got, .. }) if got == "river-pay"));
}

#[tokio::test]
async fn an_expired_node_certificate_is_refused_on_both_sides() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let then = SystemTime::now() - 40 * DAY;
    let old_root = OrgRoot::create("north-bank", then).unwrap();
    let old = TlsParty::new(&old_root.issue("node-1", &[], then).unwrap());
    let as_client = refused(&old, &river).await;
    assert!(
        matches!(as_client, ConnectError::RefusedUs { .. }),
        "{as_client:?}"
    );

    let (address, served) = serve(&old, TlsLimits::default()).await;
    let expected = Expected {
        org: "north-bank".to_owned(),
        root: old_root.fingerprint(),
    };
    let as_server = dial(&north.party, address, &expected).await;
    served.abort();
    let Err(ConnectError::NotProven { source, .. }) = as_server else {
        unreachable!("{as_server:?}")
    };
    assert!(matches!(
        source,
        ChainError::Time {
            which: "node",
            how: "expired"
        }
    ));
}

#[tokio::test]
async fn a_certificate_from_tomorrow_is_refused() {
    let river = org("river-pay");
    let later = SystemTime::now() + 2 * DAY;
    let early_root = OrgRoot::create("north-bank", later).unwrap();
    let early = TlsParty::new(&early_root.issue("node-1", &[], later).unwrap());
    let error = refused(&early, &river).await;
    assert!(matches!(error, ConnectError::RefusedUs { .. }), "{error:?}");
}

#[tokio::test]
async fn a_node_certificate_that_breaks_a_rule_is_refused() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    let cases: Vec<(&str, NodeCertificate)> = vec![
        (
            "lives for years",
            north.forged(|p| p.not_after = p.not_before + 400 * DAY),
        ),
        (
            "names another organisation than its root",
            north.forged(|p| p.subject_alt_names = vec![uri("entente://harbour-bank/node-1")]),
        ),
        (
            "names no organisation",
            north.forged(|p| p.subject_alt_names = vec![uri("https://north-bank/node-1")]),
        ),
        (
            "has no names",
            north.forged(|p| p.subject_alt_names.clear()),
        ),
        (
            "names two organisations",
            north.forged(|p| {
                p.subject_alt_names
                    .push(uri("entente://harbour-bank/node-1"));
            }),
        ),
        (
            "names an organisation instead of a node",
            north.forged(|p| p.subject_alt_names = vec![uri("entente://north-bank")]),
        ),
        (
            "is an authority",
            north.forged(|p| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
        ),
        (
            "is for servers only",
            north.forged(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
        ),
        (
            "has an unknown critical extension",
            north.forged(|p| {
                let mut unknown = rcgen::CustomExtension::from_oid_content(
                    &[1, 3, 6, 1, 4, 1, 99999, 1],
                    vec![5, 0],
                );
                unknown.set_criticality(true);
                p.custom_extensions.push(unknown);
            }),
        ),
    ];
    for (what, certificate) in cases {
        let error = refused(&TlsParty::new(&certificate), &river).await;
        assert!(
            matches!(error, ConnectError::RefusedUs { .. }),
            "a node certificate that {what}: {error:?}"
        );
    }
    // The same bench makes one that is accepted, so it is the rules that refused.
    let (address, _served) = serve(&river.party, TlsLimits::default()).await;
    let good = TlsParty::new(&north.forged(|_| {}));
    dial(&good, address, &river.expected()).await.unwrap();
}

#[tokio::test]
async fn a_certificate_too_large_is_refused() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let large = north.forged(|p| {
        let filling = vec![0; 20_000];
        let oid = [1, 3, 6, 1, 4, 1, 99999, 2];
        let extension = rcgen::CustomExtension::from_oid_content(&oid, filling);
        p.custom_extensions.push(extension);
    });
    let error = refused(&TlsParty::new(&large), &river).await;
    assert!(matches!(error, ConnectError::RefusedUs { .. }), "{error:?}");
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let nobody = Stranger::with(&north.forged(|_| {}), Vec::new());
    nobody
        .refused_at(&river, "a client without a certificate")
        .await;
}

#[tokio::test]
async fn a_node_that_signs_certificates_is_no_authority() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let node = north.forged(|_| {});
    let below = north.signed_by(&node);
    let (leaf, middle, root) = (&below.certificate, &node.certificate, &node.root);
    for (what, chain) in [
        ("a node certificate as root", vec![leaf, middle]),
        ("a node certificate between", vec![leaf, middle, root]),
        ("a leaf that the root did not sign", vec![leaf, root]),
        ("a chain without a root", vec![leaf]),
        ("a root as node", vec![root, root]),
        ("a chain in the wrong order", vec![root, leaf]),
    ] {
        let chain = chain.into_iter().cloned().collect();
        Stranger::with(&below, chain).refused_at(&river, what).await;
    }
}

#[tokio::test]
async fn an_intermediate_authority_is_refused() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let authority = north.forged(|p| {
        p.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        p.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        p.subject_alt_names = vec![SanType::URI("entente://north-bank".try_into().unwrap())];
    });
    let stranger = OrgRoot::create("north-bank", SystemTime::now()).unwrap();
    let leaf = stranger.issue("node-1", &[], SystemTime::now()).unwrap();
    let chain = vec![leaf.certificate.clone(), authority.certificate.clone()];
    let shown = Stranger::with(&leaf, chain);
    shown
        .refused_at(&river, "an authority that the root signed")
        .await;
}

#[tokio::test]
async fn a_key_that_is_not_the_certificates_is_refused() {
    let (north, river) = (org("north-bank"), org("river-pay"));
    let (shown, own) = (north.forged(|_| {}), north.forged(|_| {}));
    let thief = Stranger::with(&own, shown.chain());
    thief
        .refused_at(&river, "a stolen certificate without its key")
        .await;
}
