import java.io.IOException;
import java.net.ServerSocket;

/**
 * Accepts connections at the ports that are its arguments, on all addresses, and closes each
 * at once without a word. It says "listens" when it does so at all of them.
 */
final class Listen extends Thread {
  private final ServerSocket socket;

  private Listen(ServerSocket socket) {
    this.socket = socket;
  }

  public static void main(String[] ports) throws IOException {
    Listen[] all = new Listen[ports.length];
    for (int i = 0; i < all.length; i++) {
      all[i] = new Listen(new ServerSocket(Integer.parseInt(ports[i])));
    }
    for (Listen one : all) {
      one.start();
    }
    System.out.println("listens");
  }

  @Override
  public void run() {
    while (true) {
      try {
        socket.accept().close();
      } catch (IOException e) {
        System.exit(1);
      }
    }
  }
}
