// Compiled, never run: the plugin by import.

import Fastify from 'fastify';
import plugin from 'offloop/fastify';

export const app = Fastify().register(plugin, { serialize: false });
