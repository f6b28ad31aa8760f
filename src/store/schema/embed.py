"""Writes the schema steps as C: embed.py OUT FILE... ; a step's version is the number that its name begins with."""
import pathlib
import sys

out = ['#include "base/base.h"', '#include "store/migrate.h"', '', 'const struct schema_step schema_steps[] = {']
files = sorted(pathlib.Path(f) for f in sys.argv[2:])
for expected, file in enumerate(files, 1):
    assert int(file.name.split('_')[0]) == expected, f'{file.name}: step {expected} expected'
    out.append(f'\t{{ {expected}, "{file.stem}",')
    for line in file.read_text().splitlines():
        if line.strip() and not line.startswith('--'):
            text = line.strip().replace('\\', '\\\\').replace('"', '\\"')
            out.append(f'\t  "{text}\\n"')
    out.append('\t},')
out += ['};', f'const size_t schema_nsteps = {len(files)};', '']
pathlib.Path(sys.argv[1]).write_text('\n'.join(out))
