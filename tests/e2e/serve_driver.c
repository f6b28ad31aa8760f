/* The parent alone, for test_serve.py: serve_driver CONFIG. */
#include "base/base.h"
#include "programs/serve.h"

int
main(int argc, char **argv)
{
	struct serve_options o = { .config_path = argc > 1 ? argv[1] : NULL };

	return serve_main(&o);
}
