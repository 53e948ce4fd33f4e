/** One step of a long operation; `done` and `total` count `unit`s and `done` never falls. */
export interface ProgressEvent {
  /** What is being worked on now, for example a tensor's name. */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'tokens' | 'steps';
}

/** Receives the events of a long operation; library code never prints. */
export type OnProgress = (event: ProgressEvent) => void;
