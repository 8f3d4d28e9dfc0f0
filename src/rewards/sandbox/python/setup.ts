// What a Python interpreter runs before its state is kept for programs to start from: the modules
// that programs import most are loaded, so that importing them costs a look-up; what belongs to
// Pyodide is taken out of reach; and the module that reads programs' texts is there.

import { analysisModule } from './analysis.ts';

export const setup = `
import abc, array, ast, bisect, builtins, collections, copy, cmath, contextlib, dataclasses, datetime
import decimal, enum, fractions, functools, heapq, io, itertools, json, math, numbers, operator, random
import re, statistics, string, sys, textwrap, time, types, typing, unicodedata

random.seed(0)
module = sys.modules['_anneal'] = types.ModuleType('_anneal')
exec(compile(${JSON.stringify(analysisModule)}, '_anneal.py', 'exec'), module.__dict__)
sys.meta_path[:] = [it for it in sys.meta_path if 'pyodide' not in type(it).__module__]
for name in list(sys.modules):
    if name.split('.')[0] in ('_pyodide', '_pyodide_core', 'asyncio', 'js', 'pyodide', 'pyodide_js'):
        del sys.modules[name]
for name in list(globals()):
    if not name.startswith('__') and name != 'name':
        del globals()[name]
del name
`;
