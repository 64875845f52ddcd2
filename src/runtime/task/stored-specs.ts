import type { Topology } from '../../plan/topology.ts';
import { type Resolved, resolveSpec, type UnknownSpec } from '../../state/store-spec.ts';

/** The specs of a pipeline's stores by name, with the key serdes found by planning: enough to read them. */
export function storedSpecs(topology: Topology): ReadonlyMap<string, Resolved<UnknownSpec>> {
  const specs = new Map<string, Resolved<UnknownSpec>>();
  for (const node of topology.nodes) {
    for (const { name, spec } of node.spec.stores ?? []) {
      const resolved = spec === undefined ? undefined : resolveSpec(spec, topology.keySerde(node));
      if (resolved !== undefined) specs.set(name, resolved);
    }
  }
  return specs;
}
