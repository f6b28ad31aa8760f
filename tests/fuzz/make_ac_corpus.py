#!/usr/bin/python3
"""Attribute certificates by a writer that is not ours (asn1crypto), for the fuzz target and the tests of the reader."""
import datetime
import pathlib
import sys

from asn1crypto import cms, core, x509

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / 'corpus' / 'ac')
UTC = datetime.timezone.utc
KEY_ID = bytes(range(20))


def name(cn):
    return x509.Name.build({'country_name': 'SE', 'organization_name': 'Example', 'common_name': cn})


def directory(cn):
    return x509.GeneralName(name='directory_name', value=name(cn))


def uri(text):
    return x509.GeneralName(name='uniform_resource_identifier', value=text)



def attribute(kind, *values):
    return cms.AttCertAttribute({'type': kind, 'values': list(values)})


ATTRIBUTES = [
    attribute('role', {'role_name': uri('urn:role:clerk')},
              {'role_authority': [directory('Roles')], 'role_name': uri('https://roles.example/admin')}),
    attribute('group', {'policy_authority': [uri('https://groups.example/')],
                        'values': [cms.IetfAttrValue(name='string', value='staff'),
                                   cms.IetfAttrValue(name='string', value='night')]}),
    attribute('charging_identity', {'values': [cms.IetfAttrValue(name='octets', value=b'\x01\x02')]}),
    attribute('clearance', {'policy_id': '1.2.3.4', 'class_list': {'secret', 'top_secret'}}),
]
EXTENSIONS = [
    {'extn_id': 'authority_key_identifier', 'critical': False,
     'extn_value': x509.AuthorityKeyIdentifier({'key_identifier': KEY_ID})},
    {'extn_id': '2.5.29.56', 'critical': False, 'extn_value': core.ParsableOctetString(core.Null().dump())},
]


def make(holder, attributes=ATTRIBUTES, extensions=EXTENSIONS, issuer=None):
    algorithm = {'algorithm': 'sha256_ecdsa'}
    info = {
        'version': 'v2',
        'holder': holder,
        'issuer': cms.AttCertIssuer(name='v2_form', value={'issuer_name': [issuer or directory('Attributes')]}),
        'signature': algorithm,
        'serial_number': 0x0123456789abcdef,
        'att_cert_validity_period': {'not_before_time': datetime.datetime(2026, 1, 1, tzinfo=UTC),
                                     'not_after_time': datetime.datetime(2027, 1, 1, tzinfo=UTC)},
        'attributes': attributes,
    }
    if extensions:
        info['extensions'] = extensions
    return cms.AttributeCertificateV2({'ac_info': info, 'signature_algorithm': algorithm,
                                       'signature': bytes.fromhex('3006020101020101')}).dump(force=True)


BASE = {'base_certificate_id': {'issuer': [directory('CA')], 'serial': 4711}}
MADE = {
    'base': make(BASE),
    'both': make({**BASE, 'entity_name': [directory('Holder')]}),
    'entity': make({'entity_name': [directory('Holder')]}, extensions=None),
    'one': make(BASE, ATTRIBUTES[:1], None),
}

OUT.mkdir(parents=True, exist_ok=True)
for label, der in MADE.items():
    again = cms.AttributeCertificateV2.load(der, strict=True)
    assert again.native is not None
    (OUT / f'{label}.der').write_bytes(der)

# A request to the signer's key "ca" of fuzz_signer_message.c: type 21, key, algorithm, to be signed, context.
issuing = x509.GeneralName(name='directory_name', value=x509.Name.build({'common_name': 'Issuing'}))
tbs = cms.AttributeCertificateV2.load(make(BASE, issuer=issuing))['ac_info'].dump()
parts = [b'ca', b'ecdsa-sha256', tbs, b'context']
(OUT.parent / 'signer_message' / 'ac').write_bytes(
    b'\x00\x15' + b''.join(len(p).to_bytes(4, 'big') + p for p in parts))
