/*
 * Who is one person. Four eyes are worth nothing where both pairs are one: one officer twice, two officers with one
 * certificate, one token, one key or certificates of one subject. One answer for whoever asks it. Pure.
 */
#ifndef POLICY_PERSON_H
#define POLICY_PERSON_H

#include "model/officer.h"

/* What is known of somebody: by the document, by the certificate that was shown, or by both; NULL: not known. */
struct person {
	const struct officer *officer;
	const struct credential *credential;
};

bool is_one_person(struct person x, struct person y);

#endif
