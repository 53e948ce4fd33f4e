import type { EnergyFactors } from './energy-factors.ts';
import type { Figure } from './figure.ts';

/** What a million tokens take, from the computer's energy and the factors. */
export interface Footprint {
  readonly kilowattHours: Figure;
  readonly gramsCo2e: Figure;
  readonly cost: Figure;
  readonly currency: string;
}

const joulesPerKilowattHour = 3.6e6;

/** Power of a computer without a meter, in watts, and in words. */
export function estimatedPower({ processorWatts, processorLoad, memoryWatts }: EnergyFactors): {
  readonly watts: number;
  readonly method: string;
} {
  const watts = processorWatts.value * processorLoad.value + memoryWatts.value;
  const method =
    `estimate, no meter: processor ${processorWatts.value} W × ${100 * processorLoad.value} % ` +
    `+ memory ${memoryWatts.value} W = ${watts} W, whatever the load`;
  return { watts, method };
}

/** Energy, emissions and cost of a million tokens. */
export function footprintOfMillion(joulesPerToken: Figure, factors: EnergyFactors): Footprint {
  const kilowattHours = scaled(
    joulesPerToken,
    (1e6 / joulesPerKilowattHour) * factors.overhead.value,
  );
  return {
    kilowattHours,
    gramsCo2e: scaled(kilowattHours, factors.gramsCo2ePerKwh.value),
    cost: scaled(kilowattHours, factors.pricePerKwh.value),
    currency: factors.currency.value,
  };
}

function scaled({ value, low, high }: Figure, by: number): Figure {
  return { value: value * by, low: low * by, high: high * by };
}
