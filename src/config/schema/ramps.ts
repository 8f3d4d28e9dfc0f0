// How a phase overrides settings: every key of a section is optional, and every number can be a
// ramp. The value of a ramp in an epoch is computed in ramp.ts.

import { z } from 'zod';
import { isRamp, type Ramp, rampAt } from '../ramp.ts';

const slope = {
  from: z.number().describe('Value in the first epoch of the phase.'),
  to: z.number().describe('Value in the last epoch of the phase.'),
};

/** A number that changes over the phase. */
const rampSchema = z
  .discriminatedUnion('ramp', [
    z.strictObject({ ramp: z.literal('linear').describe('Changes in equal steps.'), ...slope }),
    z.strictObject({
      ramp: z.literal('cosine').describe('Changes slowly at both ends.'),
      ...slope,
    }),
    z.strictObject({
      ramp: z.literal('step').describe('Holds one value after another.'),
      values: z
        .array(z.number())
        .min(1)
        .describe('Values in order, each for an equal part of the phase.'),
    }),
  ])
  .meta({ id: 'ramp' });

type OrRamp<T extends z.ZodType> =
  NonNullable<z.output<T>> extends number ? z.ZodUnion<[T, typeof rampSchema]> : T;

/** The keys of a schema as overrides. */
type Overrides<S extends z.ZodRawShape> = {
  [K in keyof S]: S[K] extends z.ZodDefault<infer T extends z.ZodType>
    ? z.ZodOptional<OrRamp<T>>
    : never;
};

/** A section as a phase can override it. */
export function overridesOf<S extends Record<string, z.ZodDefault>>(section: z.ZodObject<S>) {
  const shape = Object.entries(section.shape).map(([key, field]) => {
    const own = field.unwrap() as z.ZodType;
    const value = isNumber(own) ? z.union([own, rampSchema]) : own;
    return [key, value.optional().describe(field.description ?? '')];
  });
  return z.strictObject(Object.fromEntries(shape) as Overrides<S>);
}

function isNumber(schema: z.ZodType): boolean {
  const value = schema instanceof z.ZodNullable ? schema.unwrap() : schema;
  return value instanceof z.ZodNumber;
}

/**
 * Report the ramps of a phase's section with a value that is invalid for their key in one of its
 * epochs, and step ramps with more values than the phase has epochs.
 */
export function checkRamps(
  overrides: object,
  section: z.ZodObject,
  { name, epochs }: { name: string; epochs: readonly [number, number] },
  path: PropertyKey[],
  context: z.RefinementCtx,
): void {
  const count = epochs[1] - epochs[0] + 1;
  if (count < 1) return;
  for (const [key, ramp] of Object.entries(overrides).filter(isRampEntry)) {
    const steps = ramp.ramp === 'step' ? ramp.values.length : 0;
    if (steps > count)
      context.addIssue({
        code: 'custom',
        path: [...path, key, 'values'],
        message: `expected at most ${count}, one for each epoch of phase '${name}', found ${steps}`,
      });
    const invalid = firstInvalid(key, ramp, section.shape[key] as z.ZodType, epochs);
    if (invalid)
      context.addIssue({
        code: 'custom',
        path: [...path, key],
        message: `found ${invalid.value} in epoch ${invalid.epoch} of phase '${name}'`,
        params: { constantOf: [path.at(-1), key] },
      });
  }
}

function firstInvalid(
  key: string,
  ramp: Ramp,
  schema: z.ZodType,
  epochs: readonly [number, number],
): { epoch: number; value: number } | undefined {
  for (let epoch = epochs[0]; epoch <= epochs[1]; epoch++) {
    const value = rampAt(key, ramp, epochs, epoch);
    if (!schema.safeParse(value).success) return { epoch, value };
  }
  return undefined;
}

function isRampEntry(entry: [string, unknown]): entry is [string, Ramp] {
  return isRamp(entry[1]);
}
