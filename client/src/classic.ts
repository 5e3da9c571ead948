/** The entry point for pages without modules: `<script src="….js">` defines the global `TokenSocket`. */
import { TokenSocket } from "./token-socket.ts";

Object.assign(globalThis, { TokenSocket });
