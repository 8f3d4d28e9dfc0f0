// What messages of a live run may contain. An update that is not valid is refused with the reason; a
// signal cannot be refused, so it is ignored, with a note. Pure.

/** An adjustment is passed on to every epoch, so it has to be small. */
const longestAdjustment = 65_536;
const longestReason = 10_000;
/** More resumes than anyone asks for; each grants the judge its budget again. */
const mostResumes = 100_000;

/**
 * Reject malformed adjustments before they enter the history; the schema checks the rest.
 * @throws TypeError with what was expected
 */
export function checkAdjustment(change: unknown): void {
  const found = JSON.stringify(change) ?? 'nothing';
  if (found.length > longestAdjustment)
    throw new TypeError(
      `adjust: expected at most ${longestAdjustment} characters of JSON, found ${found.length}`,
    );
  const isWellFormed =
    isMapping(change) &&
    Object.keys(change).length > 0 &&
    Object.entries(change).every(
      ([key, value]) => (key === 'rlaif' || key === 'training') && isMapping(value),
    );
  if (!isWellFormed)
    throw new TypeError(
      `adjust: expected {"rlaif": {…}} or {"training": {…}} or both, found ${shortened(found)}`,
    );
}

/** Why a signal is ignored; null if it is valid. */
export function problemOfReason(reason: unknown): string | null {
  if (typeof reason === 'string' && reason.length <= longestReason) return null;
  return `expected a reason of at most ${longestReason} characters, found ${show(reason)}`;
}

export function problemOfResumes(resumes: unknown): string | null {
  const isCount = Number.isInteger(resumes) && (resumes as number) >= 0;
  if (isCount && (resumes as number) <= mostResumes) return null;
  return `expected a whole number from 0 to ${mostResumes}, found ${show(resumes)}`;
}

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return shortened(JSON.stringify(value) ?? 'nothing');
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
