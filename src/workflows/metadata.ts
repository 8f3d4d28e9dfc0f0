// Texts that the Web UI shows of a workflow. The server refuses longer ones, and with them the workflow
// (limit.userMetadataSummarySize, 400 bytes; limit.userMetadataDetailsSize, 20,000). Pure.

/** Bytes of a UTF-16 unit in UTF-8, at most. */
const bytesPerUnit = 3;

export const shortSummary = (text: string) => shortened(text, 400 / bytesPerUnit);
export const shortDetails = (text: string) => shortened(text, 20_000 / bytesPerUnit);

function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`;
}
