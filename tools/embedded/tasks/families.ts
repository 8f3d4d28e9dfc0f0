// Every family of the embedded tasks.

import { listFamilies } from './lists.ts';
import { numberFamilies } from './numbers.ts';
import { objectFamilies } from './objects.ts';
import { selectingFamilies } from './selecting.ts';
import { stringFamilies } from './strings.ts';
import type { Family } from './task.ts';
import { wordFamilies } from './words.ts';

export const families: Family[] = [
  ...selectingFamilies,
  ...listFamilies,
  ...numberFamilies,
  ...stringFamilies,
  ...wordFamilies,
  ...objectFamilies,
];
