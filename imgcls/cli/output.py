"""The console of this process, to which every command writes."""

from imgcls.console import Console

console = Console()
