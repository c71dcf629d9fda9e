import type { CommandIo } from '#cli/command.ts';
import type { MakerStep } from '#engine/statement-maker.ts';

export interface Progress {
  step(step: MakerStep): void;
  note(text: string): void;
  /** Clears what stands on the line. */
  end(): void;
}

/** Progress on stderr: one line rewritten on a terminal, one line a step elsewhere. */
export function createProgress(io: Pick<CommandIo, 'stderr' | 'interactive'>, quiet: boolean): Progress {
  let pending = false;

  function note(text: string): void {
    if (quiet) return;
    io.stderr(io.interactive ? `\r\u001b[K${text}` : `${text}\n`);
    pending = io.interactive;
  }

  return {
    note,
    step: (step) => note(wording(step)),
    end: () => {
      if (pending) io.stderr('\r\u001b[K');
      pending = false;
    },
  };
}

function wording(step: MakerStep): string {
  switch (step.step) {
    case 'layer':
      return `reading layer ${step.layer} of ${step.layers} (${Math.ceil(step.size / 1024)} KiB)`;
    case 'inventory':
      return `found ${step.packages} packages in ${step.platform}${incomplete(step.gaps)}`;
    case 'signed':
      return `signed ${step.type} of ${step.subject}`;
  }
}

/** What could not be read is said where the number is: few packages are no good news then. */
function incomplete([first, ...others]: readonly string[]): string {
  if (first === undefined) return '';
  return `; incomplete: ${first}${others.length === 0 ? '' : ` (and ${others.length} more)`}`;
}
