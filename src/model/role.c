#include "base/base.h"
#include "model/role.h"

static const struct {
	const char *name, *label;
	enum workbench workbench;
} table[] = {
#define X(e, name, workbench, label) { name, label, WORKBENCH_##workbench },
	ROLE_TABLE(X)
#undef X
};

const char *
role_name(enum role r)
{
	return r >= 0 && r < ROLE_COUNT ? table[r].name : "";
}

const char *
role_label(enum role r)
{
	return r >= 0 && r < ROLE_COUNT ? table[r].label : "";
}

enum workbench
role_workbench(enum role r)
{
	return r >= 0 && r < ROLE_COUNT ? table[r].workbench : WORKBENCH_REGISTRATION;
}

enum role
role_of(struct bytes name)
{
	for (int i = 0; i < ROLE_COUNT; i++)
		if (bytes_is(name, table[i].name))
			return (enum role)i;
	return ROLE_NONE;
}
