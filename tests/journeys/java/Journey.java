import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** One POST by Java's own client as it comes: it prefers HTTP/2, so on plain HTTP it offers h2c. */
public class Journey {
    public static void main(String[] arguments) throws Exception {
        String url = arguments[0], key = arguments[1], type = arguments[2];
        byte[] body = Files.readAllBytes(Path.of(arguments[3]));
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", type)
                .POST(publisher(arguments[4], body))
                .build();
        HttpClient client = HttpClient.newHttpClient();
        // Twice, on one connection: the second request may only work if nothing of the first one was left over.
        for (int attempt = 0; attempt < 2; attempt++) {
            HttpResponse<byte[]> answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            line.write((answer.statusCode() + " " + answer.version() + " ").getBytes(StandardCharsets.UTF_8));
            line.write(String.join("", new String(answer.body(), StandardCharsets.UTF_8).split("\n"))
                    .getBytes(StandardCharsets.UTF_8));
            System.out.println(line.toString(StandardCharsets.UTF_8));
        }
    }

    /** With a length, or in chunks, as a body that is made on the way. */
    private static HttpRequest.BodyPublisher publisher(String how, byte[] body) {
        HttpRequest.BodyPublisher whole = HttpRequest.BodyPublishers.ofByteArray(body);
        return how.equals("length") ? whole : HttpRequest.BodyPublishers.fromPublisher(whole);
    }
}
