// Whether the window is the small one of a call. The shell makes it so; here is what it answered.
import { setSmall } from '../shell/shell'

class Small {
  on = $state(false)

  async turn(on: boolean): Promise<void> {
    this.on = await setSmall(on)
  }

  /** Nothing but a call has a small window. */
  end(): void {
    if (this.on) void this.turn(false)
  }
}

export const small = new Small()
