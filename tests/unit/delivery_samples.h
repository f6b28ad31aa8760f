/* Distribution rules of every protocol, a CRL and a CIL procedure, with every field: for test_policy_document.c. */
#ifndef TESTS_UNIT_DELIVERY_SAMPLES_H
#define TESTS_UNIT_DELIVERY_SAMPLES_H

#define DELIVERY_SAMPLES \
	{ KIND_DISTRIBUTION_RULE, \
	  "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false," \
	  "\"protocol\":" \
	  "\"http\",\"address\":\"https://" \
	  "a.example\",\"trust\":[\"BQA=\"],\"user\":\"u\",\"secret\":\"web-1\"," \
	  "\"client_certificate\":\"web-2\",\"timeout_seconds\":5,\"give_up_after\":\"P1D\"," \
	  "\"path\":\"/in/{serial}.cer\",\"content\":\"file\",\"method\":\"post\"}" }, \
	    { KIND_DISTRIBUTION_RULE, \
	      "{\"name\":\"New\",\"protocol\":\"http\",\"address\":\"https://" \
	      "a.example\",\"path\":\"/push\",\"content\":\"push\",\"template\":\"t\",\"process\":" \
	      "\"p\",\"tenant\":\"n\"}" }, \
	    { KIND_DISTRIBUTION_RULE, \
	      "{\"name\":\"New\",\"protocol\":\"ldap\",\"address\":\"ldap://" \
	      "a.example:3890\",\"start_tls\":true," \
	      "\"bind_dn\":\"cn=admin,o=x\",\"secret\":\"dir\",\"dn\":\"uid={uid|cn},o=x\",\"attribute\":" \
	      "\"userCertificate;binary\",\"update\":\"replace\",\"create\":true,\"object_classes\":[" \
	      "\"person\"]," \
	      "\"attributes\":[{\"type\":\"sn\",\"value\":\"{sn|cn}\"}]}" }, \
	    { KIND_DISTRIBUTION_RULE, \
	      "{\"name\":\"New\",\"protocol\":\"ldap\",\"address\":\"ldaps://a.example\",\"search_base\":" \
	      "\"o=x\",\"search_filter\":\"(mail={email})\"}" }, \
	    { KIND_DISTRIBUTION_RULE, \
	      "{\"name\":\"New\",\"protocol\":\"file\",\"folder\":\"/srv/" \
	      "pki\",\"file_name\":\"{serial}.cer\"}" }, \
	    { KIND_CRL_PROCEDURE, \
	      "{\"name\":\"New\",\"authority\":502,\"distribution_points\":[\"http://a.example/c\"]," \
	      "\"interval\":\"P1D\",\"after_change\":\"PT5M\"}" }, \
	    { KIND_CIL_PROCEDURE, \
	      "{\"name\":\"New\",\"state\":\"active\",\"domain\":101,\"visible_in_subdomain\":false," \
	      "\"authority\":502,\"served_as\":\"new\",\"interval\":\"P1D\",\"build_at\":\"02:30\"," \
	      "\"delta_interval\":\"PT1H\",\"margin\":\"PT6H\",\"per_file\":100,\"keep_expired\":true," \
	      "\"distribution_rules\":[907]}" }, \
	{ \
		KIND_DISTRIBUTION_RULE, \
		    "{\"name\":\"New\",\"protocol\":\"mail\",\"address\":\"smtp://" \
		    "a.example:25\",\"sender\":" \
		    "\"ca@a.example\",\"recipients\":[\"{email}\"],\"subject\":\"For " \
		    "{cn}\",\"text\":\"Here it " \
		    "is.\"}" \
	}

#endif
