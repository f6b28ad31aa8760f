#!/usr/bin/python3
"""Revocation lists, OCSP requests and responses by a writer that is not ours (python3-cryptography), for the fuzz targets."""
import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / 'corpus')
FROM, TO = datetime.datetime(2026, 1, 1), datetime.datetime(2036, 1, 1)
DER = serialization.Encoding.DER
KEY = ec.derive_private_key(12345, ec.SECP256R1())
NAME = x509.Name.from_rfc4514_string('CN=CA,O=Example,C=SE')
OTHER = x509.Name.from_rfc4514_string('CN=Other')


def cert(serial, subject):
    return (x509.CertificateBuilder().subject_name(x509.Name.from_rfc4514_string(subject)).issuer_name(NAME)
            .public_key(KEY.public_key()).serial_number(serial).not_valid_before(FROM).not_valid_after(TO)
            .sign(KEY, hashes.SHA256()))


def entry(serial, reason=None, invalid=None, issuer=None):
    b = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(FROM)
    if reason:
        b = b.add_extension(x509.CRLReason(reason), False)
    if invalid:
        b = b.add_extension(x509.InvalidityDate(invalid), False)
    if issuer:
        b = b.add_extension(x509.CertificateIssuer([x509.DirectoryName(issuer)]), True)
    return b.build()


def crl(entries, *extensions):
    b = x509.CertificateRevocationListBuilder().issuer_name(NAME).last_update(FROM).next_update(TO)
    b = b.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key()), False)
    b = b.add_extension(x509.CRLNumber(300), False)
    for e in extensions:
        b = b.add_extension(e, not isinstance(e, x509.FreshestCRL))
    for e in entries:
        b = b.add_revoked_certificate(e)
    return b.sign(KEY, hashes.SHA256()).public_bytes(DER)


def point(**is_so):
    wanted = {'full_name': None, 'relative_name': None, 'only_contains_user_certs': False,
              'only_contains_ca_certs': False, 'only_some_reasons': None, 'indirect_crl': False,
              'only_contains_attribute_certs': False}
    return x509.IssuingDistributionPoint(**{**wanted, **is_so})


uri = x509.UniformResourceIdentifier('http://crl.example/1.crl')
R = x509.ReasonFlags
fresh = x509.FreshestCRL([x509.DistributionPoint([uri], None, None, None)])
CRLS = {
    'none': crl([]),
    'plain': crl([entry(1, R.key_compromise), entry(2), entry(77, R.certificate_hold, FROM)], fresh),
    'delta': crl([entry(3, R.remove_from_crl), entry(4, R.superseded)], x509.DeltaCRLIndicator(299)),
    'part': crl([entry(9)], point(full_name=[uri], only_contains_user_certs=True)),
    'indirect': crl([entry(9), entry(1, R.ca_compromise, None, OTHER), entry(2)], point(full_name=[uri], indirect_crl=True)),
    'reasons': crl([entry(5, R.key_compromise)], point(full_name=[uri], only_some_reasons=frozenset([R.key_compromise]))),
}

ca, leaf = cert(1, 'CN=CA,O=Example,C=SE'), cert(4711, 'CN=leaf')


def request(algorithm, nonce=None):
    b = ocsp.OCSPRequestBuilder().add_certificate(leaf, ca, algorithm)
    if nonce:
        b = b.add_extension(x509.OCSPNonce(nonce), False)
    return b.build().public_bytes(DER)


def response(status, revoked=None, reason=None, nonce=None, by=ocsp.OCSPResponderEncoding.HASH):
    b = ocsp.OCSPResponseBuilder().add_response(leaf, ca, hashes.SHA1(), status, FROM, TO, revoked, reason)
    b = b.responder_id(by, ca).certificates([ca])
    if nonce:
        b = b.add_extension(x509.OCSPNonce(nonce), False)
    return b.sign(KEY, hashes.SHA256()).public_bytes(DER)


S = ocsp.OCSPCertStatus
OCSPS = {
    'request-sha1': request(hashes.SHA1()),
    'request-sha256-nonce': request(hashes.SHA256(), bytes(range(32))),
    'good': response(S.GOOD, nonce=bytes(range(16))),
    'revoked': response(S.REVOKED, FROM, R.superseded, by=ocsp.OCSPResponderEncoding.NAME),
    'unknown': response(S.UNKNOWN),
    'refused': ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED).public_bytes(DER),
}

for folder, made in (('crl', CRLS), ('ocsp', OCSPS)):
    (OUT / folder).mkdir(parents=True, exist_ok=True)
    for label, der in made.items():
        (OUT / folder / f'{label}.der').write_bytes(der)

# Requests to the signer's keys of fuzz_signer_message.c: a list in its parts (each by itself, and all at once), its last number, a
# response.
NAME = x509.Name.from_rfc4514_string('CN=Issuing')


def lv(data):
    return len(data).to_bytes(4, 'big') + data


def frame(kind, number, payload):
    return (10 + len(payload)).to_bytes(4, 'big') + kind.to_bytes(2, 'big') + number.to_bytes(8, 'big') + payload


def after(der, at):
    """Where the value at this place begins and ends."""
    n, k = der[at + 1], 2
    if n >= 0x80:
        k += n & 0x7f
        n = int.from_bytes(der[at + 2:at + k], 'big')
    return at + k, at + k + n


tbs = x509.load_der_x509_crl(crl([entry(1, R.key_compromise), entry(2)])).tbs_certlist_bytes
at, _ = after(tbs, 0)
for _ in range(5):  # version, algorithm, issuer, both times
    _, at = after(tbs, at)
first, last = after(tbs, at)
begin = b''.join(lv(p) for p in (b'ca', b'ecdsa-sha256', tbs[:first], b'context'))
data = ocsp.load_der_ocsp_response(response(S.GOOD)).tbs_response_bytes
signer = {
    'crl_last': b'\x00\x17' + lv(b'ca') + lv(b''),
    'crl_begin': b'\x00\x1c' + begin,
    'ocsp': b'\x00\x16' + lv(b'ocsp') + lv(b'ecdsa-sha256') + b'\x00\x01' + lv(data),
    'raw_crl': b'\x01' + frame(28, 1, begin) + b''.join(
        frame(29, 2 * i, i.to_bytes(4, 'big') + lv(tbs[first:last])) +
        frame(30, 2 * i + 1, i.to_bytes(4, 'big') + lv(tbs[last:])) + frame(31, 99, i.to_bytes(4, 'big'))
        for i in range(1, 4)),
}
for label, message in signer.items():
    (OUT / 'signer_message' / label).write_bytes(message)
