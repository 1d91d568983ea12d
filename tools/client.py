"""The client that runs labs: nbclient's, measured, and without its messages back to the kernel."""

from typing import Any

from nbclient import NotebookClient
from nbclient.output_widget import OutputWidget
from nbformat import NotebookNode

from tools.meter import Meter


class _QuietOutput(OutputWidget):
    """An Output widget that keeps what is printed into it and tells the kernel nothing.

    nbclient's own sends on the socket on which it waits for the reply, and now and then sleeps past the reply until
    the cell's time is up (github.com/jupyter/nbclient, issue 312).
    """

    def send(self, *args: Any, **kwargs: Any) -> None:
        return None


class LabClient(NotebookClient):
    """Executes or follows a lab; `meter` watches the kernel that it starts."""

    meter: Meter

    def __init__(self, notebook: NotebookNode, **options: Any) -> None:
        super().__init__(notebook, record_timing=False, **options)
        self.widget_registry["@jupyter-widgets/output"]["OutputModel"] = _QuietOutput
        self.clear_before_next_output = False
        self.reset_execution_trackers()

    async def async_start_new_kernel_client(self) -> Any:
        client = await super().async_start_new_kernel_client()
        self.meter = Meter(self.km.provisioner.pid)
        return client

    async def _async_cleanup_kernel(self) -> None:
        self.meter.stop()
        await super()._async_cleanup_kernel()
