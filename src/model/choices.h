/*
 * The choices of fields, shared by kinds and by whoever compiles documents: a compiled enum's value is the
 * position in its table.
 */
#ifndef MODEL_CHOICES_H
#define MODEL_CHOICES_H

#include "model/field.h"

extern const struct choice state_choices[], role_choices[], entity_choices[], key_algorithm_choices[],
    place_choices[], authority_choices[], signature_algorithm_choices[], purpose_choices[], source_choices[],
    unknown_choices[], unknown_drop_choices[], modifier_choices[], san_choices[], key_family_choices[],
    usage_source_choices[], extended_usage_source_choices[], key_usage_choices[], beyond_choices[],
    storage_choices[], encryption_choices[], issuers_choices[], qc_type_choices[], qc_semantics_choices[],
    omit_choices[], pkcs11_schemes[], web_schemes[], url_schemes[], issuer_test_choices[],
    key_action_choices[], recovered_certificate_choices[], recovered_keys_choices[], pin_method_choices[],
    pin_character_choices[], crl_type_choices[], crl_covers_choices[], crl_format_choices[],
    distribution_choices[], destination_schemes[], update_choices[], content_choices[], method_choices[],
    publication_choices[], transport_choices[], ac_attribute_choices[], view_choices[], input_choices[],
    format_input_choices[], text_form_choices[], settings_choices[], open_setting_choices[], reason_choices[],
    ocsp_activation_choices[];

#endif
