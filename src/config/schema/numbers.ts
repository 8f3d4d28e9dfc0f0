// Numbers that many sections of the run file use.

import { z } from 'zod';

export const fraction = z.number().min(0).max(1);
export const positiveInt = z.int().positive();
