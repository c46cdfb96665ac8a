"""Bytes and sockets. Knows HTTP and WebSocket, nothing of AWS; imports nothing of Cloudlet but `errors`."""
