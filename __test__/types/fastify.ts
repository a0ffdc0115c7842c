// Compiled, never run: the plugin's types.

import Fastify = require('fastify');
import plugin = require('../../fastify');

export const app = Fastify().register(plugin, { as: 'document', inflate: true, onProtoPoisoning: 'remove' });
// @ts-expect-error: no such form
void Fastify().register(plugin, { as: 'text' });
