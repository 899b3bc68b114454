/** Text as it comes, given on line by line. */
export interface Lines {
  add(text: string): void;
  /** The rest, when no more comes. */
  end(): void;
}

/** A line that is longer is given on in pieces: what a program prints without a line break may never end. */
export const longestLine = 16 * 1024;

export function createLines(take: (line: string) => void): Lines {
  let rest = '';
  return {
    add: (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
      for (; rest.length > longestLine; rest = rest.slice(longestLine)) take(rest.slice(0, longestLine));
    },
    end: () => {
      if (rest !== '') take(rest);
      rest = '';
    },
  };
}
