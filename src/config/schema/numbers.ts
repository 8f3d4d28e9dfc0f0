// Number types that many sections share.

import { z } from 'zod';

export const fraction = z.number().min(0).max(1);
export const positiveInt = z.int().positive();
