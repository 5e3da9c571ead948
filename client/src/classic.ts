/** For pages without modules: `<script src="….js">` makes `TokenSocket` a global. */
import { TokenSocket } from "./token-socket.ts";

Object.assign(globalThis, { TokenSocket });
