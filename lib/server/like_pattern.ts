/**
 * Whether `text` matches a LIKE pattern as `SHOW … LIKE` compares: without
 * regard to case, `%` for any run of characters, `_` for one, `\` before either
 * to mean itself (manual: "String Comparison Functions and Operators").
 *
 * Takes time proportional to the product of the lengths at worst, whatever the
 * pattern: it goes back to the last `%` alone.
 */
export function likeMatches(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  let patternIndex = 0;
  let textIndex = 0;
  let retryPattern = -1;
  let retryText = 0;
  while (textIndex < given.length) {
    const unit = wanted[patternIndex];
    if (unit === "%") {
      patternIndex += 1;
      retryPattern = patternIndex;
      retryText = textIndex;
      continue;
    }
    if (unit === "_") {
      patternIndex += 1;
      textIndex += 1;
      continue;
    }
    const escaped = unit === "\\" && patternIndex + 1 < wanted.length;
    const literal = escaped ? wanted[patternIndex + 1] : unit;
    if (literal === given[textIndex]) {
      patternIndex += escaped ? 2 : 1;
      textIndex += 1;
      continue;
    }
    if (retryPattern < 0) return false;
    retryText += 1;
    textIndex = retryText;
    patternIndex = retryPattern;
  }
  while (wanted[patternIndex] === "%") patternIndex += 1;
  return patternIndex === wanted.length;
}
